//! A typed view of one part of a session's data: [`SessionSchema`].

use serde::{Serialize, de::DeserializeOwned};

/// Data of one kind in a session: what `#[derive(SessionSchema)]` implements on a struct.
///
/// Each schema has a part of the session for itself; two schemas never see each other's fields. The
/// struct must serialise as an object, and a field that is missing in the store takes its value
/// from `Default`, so that a new version of an application reads the sessions of the old one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session schema",
    label = "not a session schema",
    note = "write `#[derive(SessionSchema, Serialize, Deserialize, Default)]` on the struct"
)]
pub trait SessionSchema: Serialize + DeserializeOwned + Default + Send + Sync + 'static {
    /// The name of the part: the struct's name, or what `#[session(name = "…")]` says. Renaming it
    /// forgets the data.
    const NAME: &'static str;

    /// Whether changes are kept when the operation fails: yes, unless `#[session(discard_on_error)]`
    /// says otherwise.
    const KEEP_ON_ERROR: bool = true;
}
