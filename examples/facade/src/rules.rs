//! In what old clients and this facade differ: values that operations consult, so that there is one
//! operation and not two.

/// What `COMPAT=1` changes. Nothing here opens what the originals left open by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether sign-in tells a wrong login from a wrong password. Whoever asks learns which logins
    /// there are.
    pub tell_wrong_login: bool,
    /// Whether the `id` of a session that was just opened is its token, for clients that send it
    /// back as `x-session-id`.
    pub token_as_id: bool,
    /// Whether the query may carry login and password, where logs and histories keep them.
    pub credentials_in_query: bool,
    /// Whether one can sign up without an e-mail address.
    pub email_optional: bool,
    /// Whether signing up with an address is proof enough of it to come to the sites that it was
    /// invited to.
    pub activate_at_signup: bool,
    /// Whether clients name new sites.
    pub clients_name_sites: bool,
    /// Whether everybody sees all of a site whose code he knows.
    pub sites_by_code_in_full: bool,
    /// Whether the people of `SEED=1` have the sessions `111`, `222` and `333`, which everybody can
    /// guess.
    pub sessions_of_seed: bool,
}

impl Rules {
    /// The rules.
    pub const MODERN: Self = Self {
        tell_wrong_login: false,
        token_as_id: false,
        credentials_in_query: false,
        email_optional: false,
        activate_at_signup: false,
        clients_name_sites: false,
        sites_by_code_in_full: false,
        sessions_of_seed: false,
    };

    /// The rules of `COMPAT=1`.
    pub const COMPAT: Self = Self {
        tell_wrong_login: true,
        token_as_id: true,
        credentials_in_query: true,
        email_optional: true,
        activate_at_signup: true,
        clients_name_sites: true,
        sites_by_code_in_full: true,
        sessions_of_seed: true,
    };
}
