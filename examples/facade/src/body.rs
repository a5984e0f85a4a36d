//! A body that may be left out.

use poem::{Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    payload::Json,
    registry::{MetaRequest, Registry},
    types::ParseFromJSON,
};

/// A JSON body, or none. poem-openapi's own `Json` wants a content type, and so a body, also where
/// the value is optional.
pub(crate) struct OptionalJson<T>(pub(crate) Option<T>);

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for OptionalJson<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Json<T> as ApiExtractor<'a>>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let meta = <Json<T> as ApiExtractor<'a>>::request_meta();
        meta.map(|meta| MetaRequest { required: false, ..meta })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        if request.content_type().is_none() {
            return Ok(Self(None));
        }
        let json = <Json<Option<T>> as ApiExtractor<'a>>::from_request(request, body, options);
        json.await.map(|json| Self(json.0))
    }
}
