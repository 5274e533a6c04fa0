# One image for every process that serves: worker, page, monitor, forwarders. What only training needs is not in it.
ARG BASE=docker.io/library/python:3.11.15-slim-bookworm

FROM ${BASE} AS build
WORKDIR /opt/riskstream
COPY requirements/container.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv libraries \
    && libraries/bin/python -m pip install --only-binary=:all: --require-hashes --requirement container.txt \
    && libraries/bin/python -m pip uninstall --yes pip setuptools \
    && find libraries -depth -type d \( -name tests -o -name include \) -exec rm -r {} +
COPY *.py ./
COPY bundles bundles
COPY schemas schemas
COPY risk risk
COPY training training
COPY stream stream
# The generic processor, since the machine that runs the image is another than the one that builds it.
ENV NUMBA_CPU_NAME=generic NUMBA_CACHE_DIR=/opt/riskstream/compiled ORT_DISABLE_TELEMETRY=1
RUN libraries/bin/python -m compileall -q ./*.py schemas risk training stream \
    && libraries/bin/python -m stream.warm_up bundles/demo bundles/demo-market

FROM ${BASE}
LABEL org.opencontainers.image.title="riskstream" \
      org.opencontainers.image.description="Streaming risk scores, volatility and alerts over Kafka" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing is installed at run time.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/*
COPY --from=build /opt/riskstream /opt/riskstream
COPY deploy/container/riskstream /usr/local/bin/riskstream
WORKDIR /opt/riskstream
# ONNX Runtime would tell its makers of the models that it opens.
ENV NUMBA_CPU_NAME=generic \
    NUMBA_CACHE_DIR=/tmp/riskstream-compiled \
    ORT_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/opt/riskstream \
    PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 6066 6067 8080
ENTRYPOINT ["/usr/local/bin/riskstream"]
CMD ["run"]
# Of a worker; what runs the page or the monitor asks at their ports.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-ISc", "from urllib.request import urlopen; urlopen('http://127.0.0.1:6066/live', timeout=4)"]
