//! Black box: a started process, asked over HTTP.

mod admin;
mod change;
mod client;
mod email;
mod nodes;
mod process;
mod redis;
mod server;
mod token;
mod user;

const PASSWORD: &str = "seven purple giraffes";
const OTHER_PASSWORD: &str = "eight yellow elephants";
