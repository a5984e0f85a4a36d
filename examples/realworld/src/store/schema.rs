//! The tables.

/// Each brings the tables of the one before up to date. New ones go to the end.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE users (
        id TEXT PRIMARY KEY,
        email TEXT NOT NULL,
        password TEXT NOT NULL,
        username TEXT NOT NULL,
        bio TEXT,
        image TEXT
    );
    CREATE UNIQUE INDEX users_email ON users (lower(email));
    CREATE UNIQUE INDEX users_username ON users (lower(username));

    CREATE TABLE logins (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created_at BIGINT NOT NULL
    );
    CREATE INDEX logins_user ON logins (user_id, created_at);
    CREATE VIEW logged_in AS
        SELECT l.id AS login, u.id AS account, u.email, u.username, u.bio, u.image
        FROM logins l JOIN users u ON u.id = l.user_id;

    CREATE TABLE follows (
        follower_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        followed_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        PRIMARY KEY (follower_id, followed_id)
    );
    CREATE INDEX follows_followed ON follows (followed_id);

    CREATE TABLE articles (
        id TEXT PRIMARY KEY,
        slug TEXT NOT NULL UNIQUE,
        author_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        description TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    );
    CREATE INDEX articles_newest ON articles (created_at DESC, id DESC);
    CREATE INDEX articles_author ON articles (author_id, created_at DESC, id DESC);

    CREATE TABLE article_tags (
        article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (article_id, tag)
    );
    CREATE INDEX article_tags_tag ON article_tags (tag, article_id);

    CREATE TABLE favorites (
        article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        PRIMARY KEY (article_id, user_id)
    );
    CREATE INDEX favorites_user ON favorites (user_id, article_id);

    CREATE TABLE comments (
        id BIGINT PRIMARY KEY,
        article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
        author_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        body TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    );
    CREATE INDEX comments_article ON comments (article_id, id DESC);
    CREATE INDEX comments_author ON comments (author_id);

    CREATE TABLE comment_numbers (last BIGINT NOT NULL);
    INSERT INTO comment_numbers (last) VALUES (0);
"];
