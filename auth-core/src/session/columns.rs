//! How the application's own columns of a session are filled: [`FillColumns`].

use std::{borrow::Cow, fmt, sync::Arc};

use super::{
    live::LiveSession,
    record::{ColumnValue, SessionColumns, SessionRecord},
    schema::SessionSchema,
    service::{Lifetime, SessionService},
};
use crate::{
    error::Error,
    http::{Client, KeptHead, RequestHead},
};

type Fill = dyn Fn(&RequestHead<'_>, &SessionRecord) -> SessionColumns + Send + Sync;

/// What the application says about a session that begins.
#[derive(Clone)]
pub(crate) struct FillColumns(Arc<Fill>);

impl FillColumns {
    pub(crate) fn new(
        fill: impl Fn(&RequestHead<'_>, &SessionRecord) -> SessionColumns + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(fill))
    }
}

impl fmt::Debug for FillColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FillColumns")
    }
}

/// A column that the request has given a value.
#[derive(Debug)]
pub(crate) struct ColumnChange {
    pub(super) name: Cow<'static, str>,
    pub(super) value: ColumnValue,
    /// Whether it survives an operation that fails.
    pub(super) keep_on_error: bool,
}

impl SessionService {
    /// Fills the columns of a session that begins with a request of this client.
    pub(super) fn fill(&self, client: &Client, record: &mut SessionRecord) {
        if let (Some(FillColumns(fill)), Some(head)) = (&self.fill, &client.head) {
            let columns = fill(&head.as_head(), record);
            record.columns.extend(columns);
        }
    }

    /// What does not fit together: the application fills a column that the store does not keep. Tried
    /// with a request that has nothing to say.
    pub(crate) fn columns_problem(&self) -> Option<String> {
        let (FillColumns(fill), Some(columns)) = (self.fill.as_ref()?, self.store.columns()) else {
            return None;
        };
        if columns.is_empty() {
            return Some(
                "AuthConfig::session_columns was called, but the store has no columns to fill: call \
                 SqlSessions::column"
                    .into(),
            );
        }
        let head = KeptHead::empty();
        let client = Client { ip: None, user_agent: None, cross_site: false, head: None };
        let record = self.new_record(&client, Lifetime::Default);
        let problem = fill(&head.as_head(), &record).problem(columns)?;
        Some(format!("AuthConfig::session_columns: {problem}"))
    }
}

impl<T: SessionSchema> LiveSession<T> {
    /// The value of one of the application's own columns; [`Null`](ColumnValue::Null) where there is
    /// none. What [`AuthConfig::session_columns`](crate::config::AuthConfig::session_columns) fills is
    /// seen from the next request on.
    #[must_use]
    pub fn column(&self, name: &str) -> ColumnValue {
        let state = &self.context().session;
        let work = state.work();
        if let Some(change) = work.columns.iter().rev().find(|change| change.name == name) {
            return change.value.clone();
        }
        state.current(&work).map_or(ColumnValue::Null, |record| record.columns.get(name).clone())
    }

    /// Gives one of the application's own columns a value, when the request ends. Without a session,
    /// this starts an anonymous one.
    ///
    /// # Errors
    ///
    /// - the store has no such column, or one of another type: [`Error::Misconfigured`]
    pub fn set_column(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<ColumnValue>,
    ) -> Result<(), Error> {
        let (name, value) = (name.into(), value.into());
        let service = self.context().sessions()?;
        let new = SessionColumns::default().with(name.clone(), value.clone());
        if let Some(problem) = service.store.columns().and_then(|columns| new.problem(columns)) {
            return Err(Error::Misconfigured(problem));
        }
        let change = ColumnChange { name, value, keep_on_error: T::KEEP_ON_ERROR };
        self.context().session.work().columns.push(change);
        Ok(())
    }
}
