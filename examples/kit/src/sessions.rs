//! Where sessions are: in Redis, if there is one, and else in the database.

use std::sync::Arc;

use auth_poem::{
    sql::SqlPool,
    store::{Redis, RedisSessions, SessionStore},
};

use crate::{BoxError, Common};

/// The sessions of an example; `REDIS_URL` moves them.
///
/// Redis has them alone, and not as a cache of the database: an example that is told a URL should
/// use what is there, and a cache would make of each login two writes. Their keys begin with the
/// name of the example.
///
/// # Errors
///
/// - the URL cannot be read
/// - the server or the database cannot answer
pub async fn store(
    common: &Common,
    name: &str,
    database: impl Into<SqlPool>,
) -> Result<Arc<dyn SessionStore>, BoxError> {
    let Some(url) = &common.redis_url else {
        let sessions = auth_poem::store::SqlSessions::new(database);
        sessions.migrate().await?;
        return Ok(Arc::new(sessions));
    };
    let redis = match url.0.contains(',') {
        false => Redis::open(&url.0)?,
        true => Redis::cluster(url.0.split(','))?,
    };
    // Not at the first request: whoever starts it should see what is wrong.
    redis.ping().await?;
    Ok(Arc::new(RedisSessions::new(redis).prefix(&format!("{name}:"))?))
}
