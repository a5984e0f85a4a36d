//! Accounts and logins: signing up, logging in, changing an account. The framework reads both by
//! itself, when somebody proves who he is.

use std::sync::Arc;

use auth_poem::{Error, prelude::*, users::UserStore};

use super::{Result, Store, is_taken, now};
use crate::{TOKEN_LIFETIME, errors::taken, user::User};

/// What is to change; what is `None` stays.
pub(crate) struct UserChanges {
    pub(crate) username: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) bio: Option<Option<String>>,
    pub(crate) image: Option<Option<String>>,
}

impl Store {
    /// Creates an account, and tells its id; refuses names that are taken.
    pub(crate) async fn create_account(
        &self,
        username: &str,
        email: &str,
        password: &PasswordHash,
    ) -> Result<String> {
        let id = Uuid::now_v7().to_string();
        let insert = "INSERT INTO users (id, username, email, password) VALUES ($1, $2, $3, $4)";
        let inserted = sqlx::query(insert)
            .bind(&id)
            .bind(username)
            .bind(email)
            .bind(password)
            .execute(&self.pool)
            .await;
        match inserted {
            Ok(_) => Ok(id),
            Err(error) => Err(self.explain(error, &id, Some(username), Some(email)).await),
        }
    }

    /// Notes a login to an account, and forgets those whose tokens are over.
    pub(crate) async fn create_login(&self, account: &str) -> Result<User> {
        let login = self.insert_login(account).await.map_err(Error::fault)?;
        self.logged_in(&login).await
    }

    async fn insert_login(&self, account: &str) -> sqlx::Result<String> {
        let login = Uuid::now_v7().to_string();
        let over = now() - TOKEN_LIFETIME.num_milliseconds();
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM logins WHERE user_id = $1 AND created_at < $2")
            .bind(account)
            .bind(over)
            .execute(&mut transaction)
            .await?;
        sqlx::query("INSERT INTO logins (id, user_id, created_at) VALUES ($1, $2, $3)")
            .bind(&login)
            .bind(account)
            .bind(now())
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(login)
    }

    /// The user of a login, who was there a moment ago.
    async fn logged_in(&self, login: &String) -> Result<User> {
        let user = self.users.by_id(login).await?.ok_or(Rejection::InvalidToken)?;
        Ok(Arc::unwrap_or_clone(user))
    }

    /// Changes a user, all at once or not at all; refuses names that are taken. A new password ends
    /// every other login.
    pub(crate) async fn change_user(
        &self,
        user: &User,
        changes: UserChanges,
        password: Option<PasswordHash>,
    ) -> Result<User> {
        if let Err(error) = self.update_user(user, &changes, password).await {
            let UserChanges { username, email, .. } = changes;
            return Err(self
                .explain(error, &user.account, username.as_deref(), email.as_deref())
                .await);
        }
        self.logged_in(&user.login).await
    }

    /// Changes nothing if the login has ended since the gate let it in: whoever has ended it may
    /// have changed the password.
    async fn update_user(
        &self,
        user: &User,
        changes: &UserChanges,
        password: Option<PasswordHash>,
    ) -> sqlx::Result<()> {
        let update = "UPDATE users SET
                username = COALESCE($2, username),
                email = COALESCE($3, email),
                password = COALESCE($4, password),
                bio = CASE WHEN $5 = 1 THEN $6 ELSE bio END,
                image = CASE WHEN $7 = 1 THEN $8 ELSE image END
            WHERE id = (SELECT l.user_id FROM logins l WHERE l.id = $1)";
        let ends_others = password.is_some();
        let mut transaction = self.pool.begin().await?;
        let updated = sqlx::query(update)
            .bind(&user.login)
            .bind(&changes.username)
            .bind(&changes.email)
            .bind(password)
            .bind(i64::from(changes.bio.is_some()))
            .bind(changes.bio.as_ref().and_then(Option::as_ref))
            .bind(i64::from(changes.image.is_some()))
            .bind(changes.image.as_ref().and_then(Option::as_ref))
            .execute(&mut transaction)
            .await?;
        if ends_others && updated.rows_affected() > 0 {
            sqlx::query("DELETE FROM logins WHERE user_id = $1 AND id <> $2")
                .bind(&user.account)
                .bind(&user.login)
                .execute(&mut transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// Why an account could not be written: somebody has the name or the address, or a fault.
    async fn explain(
        &self,
        error: sqlx::Error,
        id: &str,
        username: Option<&str>,
        email: Option<&str>,
    ) -> Error {
        if !is_taken(&error) {
            return Error::fault(error);
        }
        let others = "SELECT count(*) FROM users WHERE id <> $1 AND username_key = lower($2)";
        let others: sqlx::Result<i64> =
            sqlx::query_scalar(others).bind(id).bind(username).fetch_one(&self.pool).await;
        match (others, email) {
            (Err(fault), _) => Error::fault(fault),
            (Ok(0), Some(_)) => taken("email").into(),
            _ => taken("username").into(),
        }
    }
}
