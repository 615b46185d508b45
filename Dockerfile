# annosync alone: a static program, and the certificates by which it checks the service's. No shell, and no git: `--base` and
# the check for missing label files need git, so plan with them outside this image.
#
#   docker build -t annosync .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" -e CLARIFAI_PAT annosync plan --target prod
FROM rust:1-alpine AS build
# A C compiler for SQLite and ring.
RUN apk add --no-cache build-base ca-certificates
WORKDIR /build
COPY . .
RUN cargo build --locked --profile dist --bin annosync \
    && mkdir -p /image/etc/ssl/certs /image/bin \
    && mkdir -m 1777 /image/tmp \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && cp target/dist/annosync /image/bin/ \
    && /image/bin/annosync --version

FROM scratch
COPY --from=build /image /
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/bin/annosync"]
