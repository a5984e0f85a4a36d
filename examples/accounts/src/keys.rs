//! The keys that sign tokens: from the environment, or generated once into a file.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::Path,
};

use auth_poem::{jwt::JwtAlgorithm, prelude::*};

/// The environment variable that may hold a JWK set; its first key signs.
pub const VARIABLE: &str = "AUTH_JWT_KEYS";

/// The keys of this installation.
///
/// # Errors
///
/// - the keys cannot be read, or the file cannot be written
pub fn load(file: &Path) -> Result<JwtKeys, Box<dyn std::error::Error + Send + Sync>> {
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(JwtKeys::from_env(VARIABLE)?);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(mut file) => {
            let keys = JwtKeys::generate(JwtAlgorithm::EdDsa)?;
            file.write_all(keys.dangerous_private_jwks()?.as_bytes())?;
            file.sync_all()?;
            Ok(keys)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let mut jwks = String::new();
            File::open(file)?.read_to_string(&mut jwks)?;
            Ok(JwtKeys::from_jwks(&jwks)?)
        }
        Err(error) => Err(error.into()),
    }
}
