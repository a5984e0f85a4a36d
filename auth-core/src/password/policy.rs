//! What a new password must be: [`PasswordPolicy`].

use std::{fmt, sync::Arc};

use super::{MAX_PASSWORD_BYTES, common::is_common};

/// Rules for new passwords, as NIST SP 800-63B-4 has them.
///
/// - At least 15 code points, the figure for passwords that are the only factor;
/// - at most [`MAX_PASSWORD_BYTES`] bytes;
/// - none of the passwords that attackers try first;
/// - not the user's own login name, and without the words that the application names with
///   [`block`](Self::block).
///
/// There are no rules about kinds of characters, and passwords do not expire: both make passwords
/// worse (NIST, section 3.1.1.2).
///
/// # Examples
///
/// ```
/// use auth_core::password::{PasswordPolicy, WeakPassword};
///
/// let policy = PasswordPolicy::default().block(["Acme"]);
/// assert_eq!(policy.check("four plain little words", &["alice"]), Ok(()));
/// assert_eq!(policy.check("passwordpassword1", &["alice"]), Err(WeakPassword::Common));
/// assert_eq!(policy.check("i work for acme inc", &["alice"]), Err(WeakPassword::BlockedWord));
/// ```
///
/// # Security
///
/// The list of common passwords in this crate was written for it from general knowledge, some 7000
/// passwords, words and names; it is not counted from a breach. Rules cover what people make of
/// them: see [`WeakPassword::Common`]. That stops the guesses that a throttled attacker gets to
/// make. Nothing here knows the passwords that leaked elsewhere.
#[derive(Debug, Clone)]
pub struct PasswordPolicy {
    min: usize,
    /// In lower case.
    blocked: Arc<[Box<str>]>,
    allow_common: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min: 15, blocked: Arc::default(), allow_common: false }
    }
}

impl PasswordPolicy {
    /// Sets the least number of code points. Default: 15.
    ///
    /// # Security
    ///
    /// NIST allows 8 where a second factor is always asked for; OWASP ASVS 6.2.1 asks for 8
    /// everywhere.
    #[must_use]
    pub fn min_length(mut self, code_points: usize) -> Self {
        self.min = code_points;
        self
    }

    /// Adds words that no password may contain, in any case: the names of the application and of
    /// the organisation (OWASP ASVS 6.2.11). Default: none.
    ///
    /// A short word refuses many good passwords.
    #[must_use]
    pub fn block<W: AsRef<str>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        let new = words.into_iter().map(|word| word.as_ref().trim().to_lowercase());
        let new = new.filter(|word| !word.is_empty()).map(String::into_boxed_str);
        self.blocked = self.blocked.iter().cloned().chain(new).collect();
        self
    }

    /// Takes the passwords that attackers try first. For clients that exist and know no better rule
    /// than a length.
    ///
    /// # Security
    ///
    /// NIST and OWASP ASVS 6.2.4 both ask for such a list. Without it a throttled attacker needs few
    /// guesses for some of the users.
    #[must_use]
    pub fn dangerous_allow_common(mut self) -> Self {
        self.allow_common = true;
        self
    }

    /// Checks a new password for a user of these login names. Signup and password change only:
    /// whoever has a weak password from before must be able to log in to change it.
    ///
    /// # Errors
    ///
    /// The first rule that the password breaks.
    pub fn check(&self, password: &str, login_names: &[&str]) -> Result<(), WeakPassword> {
        // First: the others may then take time in proportion to the length.
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(WeakPassword::TooLong { max: MAX_PASSWORD_BYTES });
        }
        if password.chars().count() < self.min {
            return Err(WeakPassword::TooShort { min: self.min });
        }
        if login_names.iter().any(|name| is_name(password, name)) {
            return Err(WeakPassword::SameAsName);
        }
        if !self.blocked.is_empty() {
            let password = password.to_lowercase();
            if self.blocked.iter().any(|word| password.contains(&**word)) {
                return Err(WeakPassword::BlockedWord);
            }
        }
        if !self.allow_common && is_common(password) {
            return Err(WeakPassword::Common);
        }
        Ok(())
    }
}

/// Whether the password is the login name, or the part of an e-mail address before the `@`.
fn is_name(password: &str, name: &str) -> bool {
    let fold = |text: &str| text.trim().to_lowercase();
    let (password, name) = (fold(password), fold(name));
    let local = name.rsplit_once('@').map(|(local, _)| local);
    password == name || local.is_some_and(|local| password == local)
}

/// Why a password was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeakPassword {
    /// Too short.
    TooShort {
        /// How many code points it must have.
        min: usize,
    },
    /// Too long.
    TooLong {
        /// How many bytes it may have.
        max: usize,
    },
    /// Among the most used passwords, or made of one by the usual means: repeated, or with a run
    /// of keys (`12345`, `qwerty`, `aaaa`), a year or up to three more characters added to it; or
    /// nothing but such runs, or a few characters over and over.
    Common,
    /// A login name of the user, or its part before the `@`.
    SameAsName,
    /// Contains a word that the application forbids, such as its own name.
    BlockedWord,
}

impl fmt::Display for WeakPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { min } => write!(f, "The password needs at least {min} characters."),
            Self::TooLong { max } => write!(f, "The password may have at most {max} bytes."),
            Self::Common => write!(f, "This password is among those that attackers try first."),
            Self::SameAsName => write!(f, "The password must not be your login name."),
            Self::BlockedWord => write!(f, "The password contains a word that is easy to guess."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_code_points_and_bytes() {
        let policy = PasswordPolicy::default();
        assert_eq!(policy.check("vnqkzjwpxmbtrh", &[]), Err(WeakPassword::TooShort { min: 15 }));
        assert_eq!(policy.check("vnqkzjwpxmbtrhc", &[]), Ok(()));
        let crabs = "🦀🐙🦑🐠🐡🦐🐬🐳🐋🦈🐊🐅🐆🦓🦍";
        assert_eq!(policy.check(crabs, &[]), Ok(()));
        let long: String = ('a'..='z').cycle().step_by(7).take(1024).collect();
        assert_eq!(policy.check(&long, &[]), Ok(()));
        assert_eq!(
            policy.check(&format!("{long}k"), &[]),
            Err(WeakPassword::TooLong { max: 1024 })
        );
        // One line lowers the minimum; it is still code points.
        let policy = policy.min_length(8);
        assert_eq!(policy.check("🦀🐙🦑🐠🐡🦐🐬🐳", &[]), Ok(()));
        assert_eq!(policy.check("vnqkzjw", &[]), Err(WeakPassword::TooShort { min: 8 }));
    }

    #[test]
    fn asks_for_no_kinds_of_characters() {
        let policy = PasswordPolicy::default();
        for password in ["vnqkzjwpxmbtrhc", "     ä   ö  ü  ß", "749205163882049"] {
            assert_eq!(policy.check(password, &[]), Ok(()), "{password:?}");
        }
    }

    /// A list that refuses what people make of several words would teach them to avoid them.
    #[test]
    fn takes_phrases_of_several_words() {
        let policy = PasswordPolicy::default();
        for password in [
            "correct horse battery staple",
            "battery horse staple correct",
            "correct-horse-battery-staple",
            "a long enough password",
            "alice-long-password-1",
            "password for alice 2026",
            "this is my new password",
            "another very good password!",
            "admin-password-for-tests",
            "old password of bob 1",
            "new-strong-passphrase",
        ] {
            assert_eq!(policy.check(password, &["alice", "bob"]), Ok(()), "{password:?}");
        }
    }

    #[test]
    fn takes_common_passwords_only_where_it_is_told_to() {
        let policy = PasswordPolicy::default().min_length(8);
        assert_eq!(policy.check("password123", &[]), Err(WeakPassword::Common));
        let policy = policy.dangerous_allow_common();
        assert_eq!(policy.check("password123", &[]), Ok(()));
        assert_eq!(policy.check("passwor", &[]), Err(WeakPassword::TooShort { min: 8 }));
        let named = policy.check("password123", &["password123@example.org"]);
        assert_eq!(named, Err(WeakPassword::SameAsName));
    }

    #[test]
    fn refuses_the_login_name_in_any_case() {
        let policy = PasswordPolicy::default();
        let names = &["xaver.müllner.junior", "Xaver.Mullner@example.org"][..];
        for password in
            ["XAVER.MÜLLNER.JUNIOR", "xaver.mullner@example.ORG", " xaver.müllner.junior "]
        {
            assert_eq!(policy.check(password, names), Err(WeakPassword::SameAsName), "{password}");
        }
        let policy = policy.min_length(8);
        assert_eq!(policy.check("xaver.mullner", names), Err(WeakPassword::SameAsName));
        assert_eq!(policy.check("xaver.mullner and his dog", names), Ok(()));
        assert_eq!(policy.check("vnqkzjwpxmbtrhc", &["", "@"]), Ok(()));
    }

    #[test]
    fn refuses_words_of_the_application_in_any_case() {
        let policy =
            PasswordPolicy::default().block(["Acme", " "]).block(vec!["Straße".to_owned()]);
        for password in ["my ACME login here", "die STRAßE nach rom"] {
            assert_eq!(policy.check(password, &[]), Err(WeakPassword::BlockedWord), "{password}");
        }
        assert_eq!(policy.check("my other login here", &[]), Ok(()));
    }
}
