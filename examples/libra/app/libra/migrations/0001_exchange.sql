-- works-with: 1
CREATE TABLE users (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9.@_-]{0,63}$'),
    full_name     text NOT NULL,
    role          text NOT NULL CHECK (role IN ('lawyer', 'client')),
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, expires_at);

CREATE TABLE matters (
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    title     text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    opened_by uuid NOT NULL REFERENCES users,
    opened_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE members (
    matter_id uuid NOT NULL REFERENCES matters ON DELETE CASCADE,
    user_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (matter_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE files (
    id          uuid PRIMARY KEY,
    number      bigint NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    matter_id   uuid NOT NULL REFERENCES matters,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    media_type  text NOT NULL,
    size_bytes  bigint NOT NULL CHECK (size_bytes >= 0),
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),
    uploaded_by uuid NOT NULL REFERENCES users,
    uploaded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX files_by_matter ON files (matter_id, number DESC);
