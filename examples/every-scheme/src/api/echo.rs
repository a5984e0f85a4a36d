//! A body of any kind, or none.

use poem::{Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef},
};
use sha2::{Digest, Sha256};

/// The longest body.
const LONGEST: usize = 1024 * 1024;

/// The bytes of a body, whatever its media type.
pub(super) struct Anything(Vec<u8>);

impl Anything {
    /// Its SHA-256, in hex.
    pub(super) fn sha256(&self) -> String {
        Sha256::digest(&self.0).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<'a> ApiExtractor<'a> for Anything {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchema { format: Some("binary"), ..MetaSchema::new("string") };
        let schema = MetaSchemaRef::Inline(Box::new(schema));
        let content = vec![MetaMediaType { content_type: "*/*", schema }];
        Some(MetaRequest { description: None, content, required: false })
    }

    async fn from_request(
        _: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Ok(Self(body.take()?.into_bytes_limit(LONGEST).await?.into()))
    }
}
