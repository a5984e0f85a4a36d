//! Paths that a guard before routing leaves alone.

use percent_encoding::percent_decode;

/// A path, or the beginning of paths, that needs no user.
///
/// # Examples
///
/// ```
/// use auth_core::http::excluded::ExcludedPath;
///
/// let status: ExcludedPath = "/api/status".parse()?;
/// assert!(status.covers("/api/status") && status.covers("/api/status/"));
/// assert!(!status.covers("/api/status/users") && !status.covers("/API/status"));
///
/// let docs: ExcludedPath = "/docs/*".parse()?;
/// assert!(docs.covers("/docs/index.html") && !docs.covers("/docs/../users"));
/// # Ok::<(), auth_core::http::excluded::MalformedPath>(())
/// ```
///
/// # Security
///
/// A path is compared as it was sent, letter by letter, for that is how routes are found: what is
/// spelt otherwise is not covered. Behind a covered beginning there may be anything, so a path with
/// `.` or `..` in it is never covered, however often that is encoded: whoever resolves it later
/// would end up elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcludedPath {
    /// Without the final slash or asterisk.
    text: String,
    is_prefix: bool,
}

/// A text that names no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no path to exclude: {reason}")]
pub struct MalformedPath {
    text: String,
    reason: &'static str,
}

impl std::str::FromStr for ExcludedPath {
    type Err = MalformedPath;

    fn from_str(text: &str) -> Result<Self, MalformedPath> {
        let wrong = |reason| Err(MalformedPath { text: text.to_owned(), reason });
        let (path, is_prefix) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        if !path.starts_with('/') {
            return wrong("it begins with `/`, as in `/api/status`");
        }
        if is_prefix && path == "/" {
            return wrong("it covers everything; leave the guard away, or write what is open");
        }
        if path.contains([':', '{', '<', '*']) {
            return wrong("parameters are not understood; write their beginning, as in `/users/*`");
        }
        if path.contains(['?', '#']) {
            return wrong("leave away what stands behind the path");
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic() && !br#"%\;"`^|}>"#.contains(&byte)) {
            return wrong("it has a character that no plain path has");
        }
        if path.contains("//") || !is_plain(path.as_bytes()) {
            return wrong("write it without `//`, `.` and `..`");
        }
        let path = if is_prefix { path } else { path.strip_suffix('/').unwrap_or(path) };
        Ok(Self { text: path.to_owned(), is_prefix })
    }
}

impl ExcludedPath {
    /// Whether a request for this path needs no user. The path is as the request has it: not
    /// decoded, without the query.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        if self.is_prefix {
            return path.starts_with(&self.text) && is_plain(path.as_bytes());
        }
        path.strip_prefix(&self.text).is_some_and(|rest| rest.is_empty() || rest == "/")
    }
}

/// Whether a path stays what it is, however often somebody decodes it: no segment climbs, and no
/// byte could end it early or is no text.
fn is_plain(path: &[u8]) -> bool {
    let mut path = path.to_vec();
    loop {
        let decoded: Vec<u8> = percent_decode(&path).collect();
        let is_text =
            std::str::from_utf8(&path).is_ok_and(|text| !text.chars().any(char::is_control));
        if !is_text || path.split(|byte| b"/\\".contains(byte)).any(climbs) {
            return false;
        }
        // Decoding shortens, so this ends.
        if decoded == path {
            return true;
        }
        path = decoded;
    }
}

/// Whether a segment is `.` or `..`, perhaps with parameters as in `..;x`, which some servers drop.
fn climbs(segment: &[u8]) -> bool {
    let end = segment.iter().position(|byte| *byte == b';').unwrap_or(segment.len());
    matches!(&segment[..end], b"." | b"..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, path: &str) -> bool {
        pattern.parse::<ExcludedPath>().unwrap_or_else(|error| panic!("{error}")).covers(path)
    }

    #[test]
    fn a_path_is_covered_with_and_without_its_final_slash() {
        for pattern in ["/api/v1/status", "/api/v1/status/"] {
            for path in ["/api/v1/status", "/api/v1/status/"] {
                assert!(covers(pattern, path), "{pattern} {path}");
            }
        }
        assert!(covers("/", "/"));
        assert!(!covers("/", "/x") && !covers("/", "//"));
    }

    #[test]
    fn a_path_in_another_spelling_is_not_covered() {
        for path in [
            "",
            "*",
            "/api/v1",
            "/api/v1/statu",
            "/api/v1/statusx",
            "/api/v1/status/x",
            "/api/v1/status//",
            "//api/v1/status",
            "/api//v1/status",
            "/api/v1/./status",
            "/api/v1/status/.",
            "/api/v1/status/../users",
            "/api/v1/status/..",
            "/api/v1/status%2F",
            "/api/v1/status%2F..%2Fusers",
            "/api/v1/%73tatus",
            "/api/v1/status;x",
            "/api/v1/status;/../users",
            "/api/v1/status%00",
            "/api/v1/status%20",
            "/api/v1/status\\",
            "/API/V1/STATUS",
            "/api/v1/Status",
        ] {
            assert!(!covers("/api/v1/status/", path), "{path}");
        }
    }

    #[test]
    fn a_prefix_covers_what_begins_so_and_goes_nowhere_else() {
        for path in
            ["/files/", "/files/a", "/files/a/b.txt", "/files/...", "/files/a%20b", "/files/;x"]
        {
            assert!(covers("/files/*", path), "{path}");
        }
        assert!(
            covers("/api/v1/stat*", "/api/v1/stats") && covers("/api/v1/stat*", "/api/v1/stat")
        );
        for path in [
            "/files",
            "/file",
            "//files/a",
            "/Files/a",
            "/%66iles/a",
            "/files/..",
            "/files/../users",
            "/files/./a",
            "/files/a/../../users",
            "/files/%2e%2e/users",
            "/files/.%2E/users",
            "/files%2f..%2fusers",
            "/files/..%2fusers",
            "/files/a%2f..%2f..%2fusers",
            "/files/%252e%252e/users",
            "/files/%25252e%25252e/users",
            "/files/%2e%2e/users/%252e%252e/files",
            "/files/..;/users",
            "/files/..;a=b/users",
            "/files/%2e%2e%3b/users",
            "/files/..\\users",
            "/files/..%5cusers",
            "/files/%c0%ae%c0%ae/users",
            "/files/a%00",
            "/files/a%0d%0a",
        ] {
            assert!(!covers("/files/*", path), "{path}");
        }
    }

    #[test]
    fn a_text_that_names_no_path_says_what_to_write() {
        for (text, reason) in [
            ("", "begins with `/`"),
            ("status", "begins with `/`"),
            ("*", "begins with `/`"),
            ("https://app.example/status", "begins with `/`"),
            ("/*", "covers everything"),
            ("/users/:id", "parameters are not understood"),
            ("/users/{id}", "parameters are not understood"),
            ("/users/*/status", "parameters are not understood"),
            ("/status?full", "behind the path"),
            ("/a b", "no plain path"),
            ("/caf\u{e9}", "no plain path"),
            ("/a%20b", "no plain path"),
            ("/a;b", "no plain path"),
            ("//status", "without `//`"),
            ("/a/../b", "without `//`"),
            ("/./b", "without `//`"),
            ("/a/..", "without `//`"),
        ] {
            let error = text.parse::<ExcludedPath>().expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
