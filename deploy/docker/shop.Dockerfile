# The demo shop, instrumented as any Django project would be:
# docker build -f deploy/docker/shop.Dockerfile .
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements/build.txt requirements/demo.txt requirements/
RUN python -m venv /opt/shop \
 && python -m venv /opt/build \
 && /opt/shop/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/demo.txt \
 && /opt/build/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY collector collector
COPY instrumentation instrumentation
COPY ui ui
RUN /opt/build/bin/python -m hatchling build -t wheel -d /wheel \
 && /opt/shop/bin/pip install --no-cache-dir --no-deps /wheel/*.whl

FROM python:3.11-slim
RUN useradd --uid 10001 --create-home shop \
 && install -d -o shop -g shop /data
COPY --from=build /opt/shop /opt/shop
COPY deploy/demo /app
ENV PATH=/opt/shop/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=shop.settings \
    SHOP_DATA_DIR=/data
USER shop
WORKDIR /data
VOLUME /data
EXPOSE 8000
CMD ["opentelemetry-instrument", "gunicorn", "shop.wsgi", "--workers", "2", "--bind", "0.0.0.0:8000"]
