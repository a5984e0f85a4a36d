//! The path parameters of a request, for guards and for checks.

use std::{
    fmt,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
};

use auth_core::{
    error::Error as Fault,
    http::{AdapterRequest, PathParam},
    rejection::Rejection,
};
use poem::Request;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::{
    error::Result,
    extract::{context_of, misplaced},
};

/// What auth-poem adds to poem's [`Request`].
pub trait RequestExt {
    /// The path parameter that the operation's path calls so, percent-decoded.
    ///
    /// poem's own `raw_path_param` does not find it in an operation of `#[auth_api]`: poem-openapi
    /// gives the route names of its own.
    ///
    /// # Errors
    ///
    /// - the client wrote a value that is no text: [`Rejection::NotFound`]
    /// - the route has no such parameter, or has it twice: a fault
    fn path_param(&self, name: &str) -> Result<&str>;
}

impl RequestExt for Request {
    fn path_param(&self, name: &str) -> Result<&str> {
        match path_param(self, context_of(self)?.route_name(name)) {
            PathParam::Value(value) => Ok(value),
            PathParam::Unreadable => Err(Rejection::NotFound.into()),
            PathParam::Missing => {
                Err(misplaced(&format!("the route has no path parameter `{name}`")))
            }
            PathParam::Repeated => {
                Err(misplaced(&format!("the route has the path parameter `{name}` twice")))
            }
        }
    }
}

/// The request as the core carries it.
pub(crate) fn adapter_request(request: &Request) -> AdapterRequest<'_> {
    AdapterRequest::new(request, |request, name| {
        request.downcast_ref().map_or(PathParam::Missing, |request| path_param(request, name))
    })
}

/// The request, as the adapter has handed it over.
pub(crate) fn request_of(request: AdapterRequest<'_>) -> Result<&Request, Fault> {
    request.downcast().ok_or_else(|| {
        Fault::Misconfigured("a check was asked about a request that is none of poem's".into())
    })
}

fn path_param<'a>(request: &'a Request, name: &str) -> PathParam<'a> {
    match request.raw_path_param(name) {
        // Of two routes inside each other that use the same name, an extractor may see the inner
        // one's value and a guard the outer one's.
        Some(_) if is_repeated(request, name) => PathParam::Repeated,
        Some(value) => PathParam::Value(value),
        // poem leaves a parameter out that is no UTF-8 when it is decoded.
        None if !is_text(request.uri().path()) => PathParam::Unreadable,
        None => PathParam::Missing,
    }
}

/// Whether the request has more than one path parameter of that name.
fn is_repeated(request: &Request, name: &str) -> bool {
    let hash = hash(name);
    match request.path_params::<Names>() {
        Ok(Names { hashes, count }) => match hashes.get(..count) {
            Some(known) => known.iter().filter(|known| **known == hash).count() > 1,
            // More than are looked at: nobody knows.
            None => true,
        },
        Err(_) => true,
    }
}

/// The names of all path parameters: poem shows them only to `Deserialize`. Hashes of them, because
/// they are borrowed for too short a time, and a guard should not allocate.
struct Names {
    hashes: [u64; 16],
    count: usize,
}

fn hash(name: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(name)
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("path parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
        let mut names = Names { hashes: [0; 16], count: 0 };
        while let Some((Hash(name), Hash(_))) = map.next_entry()? {
            if let Some(place) = names.hashes.get_mut(names.count) {
                *place = name;
            }
            names.count += 1;
        }
        Ok(names)
    }
}

/// The hash of a text.
struct Hash(u64);

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HashVisitor)
    }
}

struct HashVisitor;

impl Visitor<'_> for HashVisitor {
    type Value = Hash;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Hash, E> {
        Ok(Hash(hash(text)))
    }
}

/// Whether a percent-encoded text is UTF-8 when it is decoded.
fn is_text(encoded: &str) -> bool {
    let digit =
        |at: usize| encoded.as_bytes().get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut at = 0;
    while let Some(&byte) = encoded.as_bytes().get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits are a byte.
                decoded.extend(u8::try_from(high * 16 + low));
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    std::str::from_utf8(&decoded).is_ok()
}
