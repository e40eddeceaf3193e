# One image, four services and the command line. The service is the first argument:
#   docker run tutti tutti-identity-resolver --config /etc/tutti/identity-resolver.conf
FROM debian:12-slim AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        build-essential cmake ninja-build pkg-config librdkafka-dev libavro-dev libjansson-dev libpq-dev \
        libsodium-dev libxxhash-dev libutf8proc-dev libmicrohttpd-dev libcurl4-openssl-dev liblz4-dev uthash-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# docker build --build-arg TUTTI_REVISION=$(git rev-parse --short=12 HEAD)
ARG TUTTI_REVISION=
RUN cmake --preset release -DTUTTI_TESTS=OFF -DTUTTI_REVISION="$TUTTI_REVISION" -DCMAKE_INSTALL_PREFIX=/usr \
    && cmake --build --preset release \
    && DESTDIR=/out cmake --install build/release --strip

FROM debian:12-slim
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        librdkafka1 libavro23 libjansson4 libpq5 libsodium23 libutf8proc2 libmicrohttpd12 libcurl4 liblz4-1 libxxhash0 \
        ca-certificates curl tzdata \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/ /
# A volume that is mounted here belongs to the user of the services.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/tutti
USER 10001:10001
# policies/ and data/ (the converters of `tutti import`, which need a Python with their packages) lie here.
WORKDIR /usr/share/tutti
ENV TUTTI_HTTP_LISTEN=:9101
EXPOSE 9101
STOPSIGNAL SIGTERM
CMD ["tutti", "--help"]
