//! The keys that sign tokens: from the environment, or generated once into a file.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::Path,
};

use auth_poem::{jwt::JwtAlgorithm, prelude::*};

use crate::BoxError;

/// The environment variable that may hold a JWK set; its first key signs.
pub const VARIABLE: &str = "AUTH_JWT_KEYS";

/// The keys of this installation.
///
/// # Errors
///
/// - the keys cannot be read, or the file cannot be written
pub fn load(file: &Path) -> Result<JwtKeys, BoxError> {
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(JwtKeys::from_env(VARIABLE)?);
    }
    if let Some(jwks) = read(file)? {
        return Ok(JwtKeys::from_jwks(&jwks)?);
    }
    let keys = JwtKeys::generate(JwtAlgorithm::EdDsa)?;
    write(file, &keys.dangerous_private_jwks()?)?;
    // Another process may have been faster; what the file says is what all of them sign with.
    let jwks = read(file)?.ok_or("the file with the keys is gone again")?;
    Ok(JwtKeys::from_jwks(&jwks)?)
}

fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(jwks) => Ok(Some(jwks)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the file unless there is one. It appears with all that is in it: neither another process
/// nor one that starts after this one was killed finds half a key.
fn write(file: &Path, jwks: &str) -> io::Result<()> {
    let draft = file.with_extension(format!("{}.draft", Uuid::now_v7()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut writer = options.open(&draft)?;
    writer.write_all(jwks.as_bytes())?;
    writer.sync_all()?;
    // A link, because renaming would replace the file of another process.
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
