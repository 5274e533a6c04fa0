package main

// seen remembers the last ids, since an alert can come again. Memory is bounded, so what repeats much later is new.
type seen struct {
	ids  map[string]bool
	ring []string
	next int
}

// newSeen returns a memory of so many ids.
func newSeen(limit int) *seen {
	return &seen{ids: make(map[string]bool, limit), ring: make([]string, limit)}
}

// add returns whether the id is new; it is known from now on.
func (s *seen) add(id string) bool {
	if s.ids[id] {
		return false
	}
	delete(s.ids, s.ring[s.next])
	s.ids[id] = true
	s.ring[s.next] = id
	s.next = (s.next + 1) % len(s.ring)
	return true
}
