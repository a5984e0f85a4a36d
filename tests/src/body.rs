//! A request body that remembers whether anybody read it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use futures_util::stream;
use poem::Body;

/// Counts the reads of a body.
#[derive(Debug, Clone, Default)]
pub struct Reads(Arc<AtomicUsize>);

impl Reads {
    /// How often the body was asked for bytes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// A body with this text that counts here.
    #[must_use]
    pub fn body(&self, text: &'static str) -> Body {
        let reads = self.clone();
        let mut rest = Some(Bytes::from_static(text.as_bytes()));
        Body::from_bytes_stream(stream::poll_fn(move |_| {
            reads.0.fetch_add(1, SeqCst);
            std::task::Poll::Ready(rest.take().map(Ok::<_, io::Error>))
        }))
    }
}
