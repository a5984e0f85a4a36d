//! The keys that sign tokens, and the one that encrypts secrets: from the environment, or generated
//! once into a file.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::Path,
};

use auth_poem::{jwt::JwtAlgorithm, prelude::*, sealing::SealingKeys};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{BoxError, text};

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

/// The environment variable that may hold the key under which secrets are encrypted: 32 bytes in
/// base64.
pub const SEALING_VARIABLE: &str = "AUTH_SEALING_KEY";

/// The key under which this installation encrypts secrets that it has to know again.
///
/// # Errors
///
/// - the key cannot be read, or the file cannot be written
pub fn load_sealing(file: &Path) -> Result<SealingKeys, BoxError> {
    if let Some(key) = text(SEALING_VARIABLE)? {
        return sealing(&key).map_err(|error| format!("{SEALING_VARIABLE}: {error}").into());
    }
    if read(file)?.is_none() {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        write(file, &STANDARD.encode(key))?;
    }
    // Also what another process has written, if it was faster.
    sealing(&read(file)?.ok_or("the file with the sealing key is gone again")?)
}

fn sealing(key: &str) -> Result<SealingKeys, BoxError> {
    Ok(SealingKeys::new("1", &STANDARD.decode(key.trim())?)?)
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
