-- +goose Up

-- A place for trail files: a folder that the server keeps itself, or a bucket of an S3 server elsewhere.
CREATE TABLE trail_bucket (
    name       TEXT PRIMARY KEY,
    endpoint   TEXT NOT NULL,   -- empty: a folder of our own
    region     TEXT NOT NULL,
    path_style BIGINT NOT NULL, -- 1: the bucket's name is in the path, not in the host
    access_key TEXT NOT NULL,
    secret     BYTEA NOT NULL,  -- sealed
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);

-- A trail: what of the log goes into which bucket, and how far that has come.
CREATE TABLE trail (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    live         BIGINT NOT NULL, -- 1; 0: deleted, and its last files are still to be written
    spec         TEXT NOT NULL,   -- JSON: bucket, prefix, selectors
    runs         TEXT NOT NULL,   -- JSON: the stretches of the log that are still to be written
    logging      BIGINT NOT NULL, -- 1: as the API tells
    started_at   BIGINT NOT NULL,
    stopped_at   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    seq          BIGINT NOT NULL, -- the last event that was looked at
    hash         BYTEA NOT NULL,  -- the log's chain there
    objects      BIGINT NOT NULL, -- how many were planned, ever
    flushed_at   BIGINT NOT NULL, -- when the last log file was planned
    digest_to    BIGINT NOT NULL, -- end of the last digest; 0: there is none
    attempted_at BIGINT NOT NULL,
    delivered_at BIGINT NOT NULL,
    digested_at  BIGINT NOT NULL,
    problem      TEXT NOT NULL,   -- of the last attempt; empty: it went well
    verified_at  BIGINT NOT NULL,
    faults       BIGINT NOT NULL  -- that the last verification has found
);
CREATE UNIQUE INDEX trail_name ON trail (name) WHERE live = 1;

-- A file of a trail. It is planned here, with all that it is made of, before it is written.
CREATE TABLE trail_object (
    trail_id    TEXT NOT NULL,
    n           BIGINT NOT NULL, -- in the order of writing
    kind        TEXT NOT NULL,   -- LOG, DIGEST
    bucket      TEXT NOT NULL,
    key         TEXT NOT NULL,
    at          BIGINT NOT NULL, -- of a log, when it was planned; of a digest, its end
    from_seq    BIGINT NOT NULL, -- the event before its first
    to_seq      BIGINT NOT NULL, -- its last, whether it holds that or a selector leaves it out
    to_hash     BYTEA NOT NULL,
    events      BIGINT NOT NULL,
    oldest      BIGINT NOT NULL,
    newest      BIGINT NOT NULL,
    filter      TEXT NOT NULL,   -- JSON: the selectors as they were; empty: none
    hash        TEXT NOT NULL,   -- SHA-256 of what is compressed, hexadecimal
    signature   TEXT NOT NULL,   -- of a digest, hexadecimal
    fingerprint TEXT NOT NULL,   -- of the key that signed
    body        BYTEA NOT NULL,  -- of a digest that is not written yet
    digest      BIGINT NOT NULL, -- of a log, the digest that lists it; 0: none yet; -1: none ever
    written_at  BIGINT NOT NULL, -- 0: not yet
    PRIMARY KEY (trail_id, n)
);
CREATE INDEX trail_object_written ON trail_object (trail_id, written_at, n);
CREATE INDEX trail_object_digest ON trail_object (trail_id, kind, digest, n);
CREATE UNIQUE INDEX trail_object_key ON trail_object (bucket, key);

-- A key that digests are signed with. Public keys stay for ever: without them old digests could not be verified.
CREATE TABLE trail_key (
    fingerprint TEXT PRIMARY KEY,
    public      BYTEA NOT NULL,  -- PKCS #1
    private     BYTEA NOT NULL,  -- sealed; empty: it lives in KMS
    kms         TEXT NOT NULL,   -- ARN of the key there; empty: it is here
    starts_at   BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL
);
CREATE INDEX trail_key_time ON trail_key (ends_at, starts_at);
