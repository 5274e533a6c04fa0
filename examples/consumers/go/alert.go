package main

import (
	"bytes"
	"encoding/json"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// alert has the fields that this program uses. There are more, and later releases may add some: they are passed over.
type alert struct {
	AlertID    string `json:"alert_id"`
	EntityKind string `json:"entity_kind"`
	Severity   string `json:"severity"`
	Outcome    string `json:"outcome"`
	Reasons    []struct {
		Code string `json:"code"`
	} `json:"reasons"`
}

// decoder reads alerts that fit the schema.
type decoder struct {
	schema *jsonschema.Schema
}

// newDecoder reads the schema in a file.
func newDecoder(path string) (decoder, error) {
	schema, err := jsonschema.NewCompiler().Compile(path)
	return decoder{schema}, err
}

// decode returns the alert in a record's value, or why it is none.
func (d decoder) decode(value []byte) (alert, error) {
	var found alert
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return found, err
	}
	if err := d.schema.Validate(document); err != nil {
		return found, err
	}
	return found, json.Unmarshal(value, &found)
}
