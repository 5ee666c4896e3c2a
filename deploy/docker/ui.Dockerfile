# The web UI: docker build -f deploy/docker/ui.Dockerfile .
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements/build.txt requirements/ui.txt requirements/
RUN python -m venv /opt/hotspan \
 && python -m venv /opt/build \
 && /opt/hotspan/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/ui.txt \
 && /opt/build/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY collector collector
COPY instrumentation instrumentation
COPY ui ui
RUN /opt/build/bin/python -m hatchling build -t wheel -d /wheel \
 && /opt/hotspan/bin/pip install --no-cache-dir --no-deps /wheel/*.whl

FROM python:3.11-slim
RUN useradd --uid 10001 --create-home hotspan
COPY --from=build /opt/hotspan /opt/hotspan
ENV PATH=/opt/hotspan/bin:$PATH \
    PYTHONUNBUFFERED=1
USER hotspan
WORKDIR /home/hotspan
EXPOSE 8501
CMD ["hotspan", "ui"]
