//! Black box: a started process, asked over HTTP.

pub(super) mod client;
mod compat;
mod cookie;
mod engines;
mod errors;
mod guards;
mod holes;
mod invitations;
mod process;
mod sessions;
mod signin;
mod signup;
mod sites;
mod users;
