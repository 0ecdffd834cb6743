# The image for nodes with glibc (2.17 and later), which is nearly all of them.
#
#   docker buildx build -f Dockerfile.gnu --platform linux/amd64,linux/arm64 -t … .
#
# Both architectures come out of one build, without emulation: the executables are cross-compiled and no
# command runs on the target platform. The final image holds the executables and the six libraries that
# they load: no shell, no package manager, no packages.
#
# --target prebuilt takes the executables ready-made from the context (dist/images/gnu, by build/release.ts).
# --build-arg CRICTL=path/crictl adds a crictl from the context, for DEPLOY_CRIO_EXE.
# By digest: a tag may be moved. Each is the index of all architectures.
ARG BUILD_BASE=docker.io/library/node:22.14.0-bookworm-slim@sha256:1c18d9ab3af4585870b92e4dbc5cac5a0dc77dd13df1a5905cea89fc720eb05b
ARG LIBRARY_BASE=docker.io/library/debian:bookworm-20250407-slim@sha256:b1211f6d19afd012477bd34fdcabb6b663d680e0f4b0537da6e6b0fd057a3ec3

FROM --platform=$BUILDPLATFORM ${BUILD_BASE} AS compiled
WORKDIR /source
COPY package.json bun.lock bunfig.toml tsconfig.json ./
RUN npx -y bun@1.4.5 install --frozen-lockfile --ignore-scripts
COPY build build
COPY src src
ARG TARGETARCH
# The musl build goes along for nodes without glibc (VENDOR=musl).
RUN arch=$(echo "$TARGETARCH" | sed s/amd64/x64/) && mkdir /app \
    && for libc in gnu musl; do npx -y bun@1.4.5 build/build.ts --target "linux-$arch-$libc" || exit; done \
    && cp dist/core-dump-handler-linux-* /app/ && chmod 0755 /app/* \
    && ln -s "core-dump-handler-linux-$arch-gnu" /app/core-dump-handler \
    && ln -s core-dump-handler /app/core-dump-agent

FROM ${LIBRARY_BASE} AS libraries

FROM scratch AS runtime
COPY --from=libraries /usr/lib/*-linux-gnu/ld-linux-*.so.* /usr/lib/*-linux-gnu/libc.so.6 \
    /usr/lib/*-linux-gnu/libm.so.6 /usr/lib/*-linux-gnu/libpthread.so.0 \
    /usr/lib/*-linux-gnu/libdl.so.2 /usr/lib/*-linux-gnu/libresolv.so.2 /lib/
# Where amd64 executables look for their loader; arm64's is in /lib.
COPY --from=libraries /usr/lib/*-linux-gnu/ld-linux-*.so.* /lib64/
# Without one, the licence is what is copied (twice, to one place).
ARG CRICTL=LICENSE
COPY LICENSE ${CRICTL} /app/
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="core-dump-handler" \
    org.opencontainers.image.description="Gets the core dump of a crashed container off its node" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
ENTRYPOINT ["/app/core-dump-handler"]

FROM runtime AS prebuilt
ARG TARGETARCH
COPY ${TARGETARCH}/ /

FROM runtime
COPY --from=compiled /app/ /app/
