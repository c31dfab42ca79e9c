-- works-with: 1
-- Tables that code of level 1 never reads or writes: it goes on working beside level 2.
CREATE TABLE downloads (
    file_id       uuid NOT NULL REFERENCES files ON DELETE CASCADE,
    downloaded_by uuid NOT NULL REFERENCES users,
    downloaded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX downloads_by_file ON downloads (file_id);

CREATE TABLE login_failures (
    name      text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_failures_by_name ON login_failures (name, failed_at);
