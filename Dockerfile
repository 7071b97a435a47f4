# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir uv==0.13.9
COPY requirements-runtime.lock /tmp/
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv /venv && uv pip sync --python /venv/bin/python --require-hashes /tmp/requirements-runtime.lock

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=pmcycle.settings \
    STATIC_ROOT=/srv/static \
    MEDIA_ROOT=/srv/media
RUN useradd --system --uid 10001 --home-dir /srv --shell /usr/sbin/nologin pmcycle \
    && install -d -o pmcycle -g pmcycle /srv/media
COPY --from=build /venv /venv
WORKDIR /srv/app
COPY . .
# Only the addresses have to look right here: neither command reaches a server.
RUN export SECRET_KEY=build DATABASE_URL=postgresql://db/build REDIS_URL=redis://redis/0 \
    && python manage.py collectstatic --noinput -v0
USER pmcycle
EXPOSE 8000
ENV BIND=0.0.0.0:8000
CMD ["gunicorn", "-c", "python:pmcycle.home.serving", "pmcycle.wsgi"]
