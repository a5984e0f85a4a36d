//! Refresh tokens and deny lists.

use std::sync::Arc;

use auth_core::store::{DenyList, SqlDenyList, SqlTokens, TokenStore};

use super::mysql;

async fn tokens() -> Option<Arc<dyn TokenStore>> {
    let tokens = SqlTokens::new(mysql().await?);
    tokens.migrate().await.unwrap();
    Some(Arc::new(tokens))
}

auth_core::token_store_conformance!(refresh_tokens_on_mysql, tokens);

async fn denied() -> Option<Arc<dyn DenyList>> {
    let list = SqlDenyList::new(mysql().await?);
    list.migrate().await.unwrap();
    Some(Arc::new(list))
}

auth_core::deny_list_conformance!(deny_list_on_mysql, denied);
