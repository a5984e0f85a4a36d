//! Bodies that are checked before an operation sees them, with an error for every field that is
//! wrong: `draft: Valid<ArticleDraft>` in place of `Json<…>`.

use std::borrow::Cow;

use poem::{Request, RequestBody, Result};
use poem_openapi::{
    impl_apirequest_for_payload,
    payload::{Json, ParsePayload, Payload},
    registry::{MetaSchemaRef, Registry},
    types::{ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::errors::Errors;

/// The largest body, in bytes. The longest article fits, also with all its letters escaped.
const LARGEST: usize = 2 * 1024 * 1024;

/// What a body is checked into.
pub(crate) trait Draft: Sized + Send {
    /// The body as it arrives and as the document describes it.
    type Body: ParseFromJSON + ToJSON + Send;

    /// Takes what is right. What is wrong is noted in `check`, and then the value is not used.
    fn check(body: Self::Body, check: &mut Check) -> Option<Self>;
}

/// A body whose fields have been checked. Refused: 422 with all that is wrong.
pub(crate) struct Valid<T>(pub(crate) T);

impl<T: Draft> Payload for Valid<T> {
    const CONTENT_TYPE: &'static str = Json::<T::Body>::CONTENT_TYPE;

    fn check_content_type(content_type: &str) -> bool {
        Json::<T::Body>::check_content_type(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        Json::<T::Body>::schema_ref()
    }

    fn register(registry: &mut Registry) {
        <Json<T::Body> as Payload>::register(registry);
    }
}

impl<T: Draft> ParsePayload for Valid<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> Result<Self> {
        let bytes = body.take()?.into_bytes_limit(LARGEST).await?;
        let mut body = RequestBody::new(bytes.into());
        let Json(body) = <Json<T::Body> as ParsePayload>::from_request(request, &mut body).await?;
        let mut check = Check::default();
        match T::check(body, &mut check) {
            Some(draft) if check.errors.is_empty() => Ok(Self(draft)),
            _ => Err(check.errors.into()),
        }
    }
}

impl_apirequest_for_payload!(Valid<T>, T: Draft);

/// A member of a body as it arrived. Reading one never fails, so that all of them can be checked.
pub(crate) enum Field<T, const REQUIRED: bool> {
    /// It is not there.
    Absent,
    /// It is null, and its type has no value for that.
    Null,
    /// It is of another type.
    Malformed,
    /// It is there.
    Given(T),
}

/// A member that must be there.
pub(crate) type Required<T> = Field<T, true>;

/// A member that may be left out.
pub(crate) type Optional<T> = Field<T, false>;

impl<T: Type, const REQUIRED: bool> Type for Field<T, REQUIRED> {
    const IS_REQUIRED: bool = REQUIRED;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: Type + DeserializeOwned, const REQUIRED: bool> ParseFromJSON for Field<T, REQUIRED> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let Some(value) = value else { return Ok(Self::Absent) };
        let is_null = value.is_null();
        // Not with poem-openapi's own parser, which takes a number for a text.
        Ok(match serde_json::from_value(value) {
            Ok(value) => Self::Given(value),
            Err(_) if is_null => Self::Null,
            Err(_) => Self::Malformed,
        })
    }
}

impl<T: ToJSON, const REQUIRED: bool> ToJSON for Field<T, REQUIRED> {
    fn to_json(&self) -> Option<Value> {
        match self {
            Self::Given(value) => value.to_json(),
            Self::Absent | Self::Null | Self::Malformed => None,
        }
    }
}

const BLANK: &str = "can't be blank";
const INVALID: &str = "is invalid";

/// Takes fields, and notes what is wrong with them.
#[derive(Debug, Default)]
pub(crate) struct Check {
    errors: Errors,
}

impl Check {
    /// Notes that a field is wrong.
    pub(crate) fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.errors.add(name, message);
    }

    /// Notes that a field has a value that it cannot have.
    pub(crate) fn invalid(&mut self, name: &str) {
        self.refuse(name, INVALID);
    }

    /// A text of some letters, and at most `longest`.
    pub(crate) fn text<const REQUIRED: bool>(
        &mut self,
        name: &str,
        field: Field<String, REQUIRED>,
        longest: usize,
    ) -> Option<String> {
        self.given(name, field).and_then(|text| self.words(name, text, longest))
    }

    /// A text that may be null, which an empty one is too.
    pub(crate) fn nullable(
        &mut self,
        name: &str,
        field: Optional<Option<String>>,
        longest: usize,
    ) -> Option<Option<String>> {
        match self.given(name, field)?.filter(|text| !text.trim().is_empty()) {
            Some(text) => self.words(name, text, longest).map(Some),
            None => Some(None),
        }
    }

    /// The value of a field, if it has one.
    pub(crate) fn given<T, const REQUIRED: bool>(
        &mut self,
        name: &str,
        field: Field<T, REQUIRED>,
    ) -> Option<T> {
        match field {
            Field::Given(value) => return Some(value),
            Field::Absent if !REQUIRED => {}
            Field::Absent | Field::Null => self.refuse(name, BLANK),
            Field::Malformed => self.invalid(name),
        }
        None
    }

    /// A text, if it says something and can be stored. PostgreSQL keeps no NUL.
    pub(crate) fn words(&mut self, name: &str, text: String, longest: usize) -> Option<String> {
        if text.trim().is_empty() {
            self.refuse(name, BLANK);
        } else if text.contains('\0') {
            self.invalid(name);
        } else if text.chars().count() > longest {
            self.refuse(name, format!("is too long (maximum is {longest} characters)"));
        } else {
            return Some(text);
        }
        None
    }
}
