//! The walk through a document: it passes an honest application, and finds every kind of lie.

mod app;
mod honest;
mod lies;
mod samples;
