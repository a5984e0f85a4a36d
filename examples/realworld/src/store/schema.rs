//! The tables.

use example_kit::database::Engine;

/// Each brings the tables of the one before up to date. New ones go to the end.
pub(super) fn migrations(engine: Engine) -> [&'static str; 2] {
    [TABLES, email_index(engine)]
}

/// The index by which the framework finds who logs in, in upper and lower case.
fn email_index(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "CREATE INDEX users_email ON users (lower(email))",
        Engine::Postgres => "CREATE INDEX users_email ON users (lower(email COLLATE \"C\"))",
        // By the column's collation, which finds similar ones too; the framework tells them apart.
        Engine::MySql => "CREATE INDEX users_email ON users (email)",
    }
}

/// Names that are unique in upper and lower case alike have a column for that, because not all engines
/// have an index on what a function gives. MySQL alone reads what stands in `/*! … */`.
const TABLES: &str = "
    CREATE TABLE users (
        id VARCHAR(36) PRIMARY KEY,
        email VARCHAR(254) /*! COLLATE utf8mb4_general_ci */ NOT NULL,
        email_key VARCHAR(508) GENERATED ALWAYS AS (lower(email)) STORED UNIQUE,
        password TEXT NOT NULL,
        username VARCHAR(50) NOT NULL,
        username_key VARCHAR(100) GENERATED ALWAYS AS (lower(username)) STORED UNIQUE,
        bio TEXT,
        image TEXT
    );

    CREATE TABLE logins (
        id VARCHAR(36) PRIMARY KEY,
        user_id VARCHAR(36) NOT NULL,
        created_at BIGINT NOT NULL,
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE INDEX logins_user ON logins (user_id, created_at);
    CREATE VIEW logged_in AS
        SELECT l.id AS login, u.id AS account, u.email, u.username, u.bio, u.image
        FROM logins l JOIN users u ON u.id = l.user_id;

    CREATE TABLE follows (
        follower_id VARCHAR(36) NOT NULL,
        followed_id VARCHAR(36) NOT NULL,
        PRIMARY KEY (follower_id, followed_id),
        FOREIGN KEY (follower_id) REFERENCES users (id) ON DELETE CASCADE,
        FOREIGN KEY (followed_id) REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE INDEX follows_followed ON follows (followed_id);

    CREATE TABLE articles (
        id VARCHAR(36) PRIMARY KEY,
        slug VARCHAR(100) NOT NULL UNIQUE,
        author_id VARCHAR(36) NOT NULL,
        title TEXT NOT NULL,
        description TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE INDEX articles_newest ON articles (created_at DESC, id DESC);
    CREATE INDEX articles_author ON articles (author_id, created_at DESC, id DESC);

    CREATE TABLE article_tags (
        article_id VARCHAR(36) NOT NULL,
        tag VARCHAR(50) NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (article_id, tag),
        FOREIGN KEY (article_id) REFERENCES articles (id) ON DELETE CASCADE
    );
    CREATE INDEX article_tags_tag ON article_tags (tag, article_id);

    CREATE TABLE favorites (
        article_id VARCHAR(36) NOT NULL,
        user_id VARCHAR(36) NOT NULL,
        PRIMARY KEY (article_id, user_id),
        FOREIGN KEY (article_id) REFERENCES articles (id) ON DELETE CASCADE,
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE INDEX favorites_user ON favorites (user_id, article_id);

    CREATE TABLE comments (
        id BIGINT PRIMARY KEY,
        article_id VARCHAR(36) NOT NULL,
        author_id VARCHAR(36) NOT NULL,
        body TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        FOREIGN KEY (article_id) REFERENCES articles (id) ON DELETE CASCADE,
        FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE INDEX comments_article ON comments (article_id, id DESC);
    CREATE INDEX comments_author ON comments (author_id);

    CREATE TABLE comment_numbers (last BIGINT NOT NULL);
    INSERT INTO comment_numbers (last) VALUES (0);
";
