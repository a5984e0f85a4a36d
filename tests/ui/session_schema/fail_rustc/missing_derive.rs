use auth_poem::{Session, prelude::*};
use poem_openapi::OpenApiService;

#[derive(Default)]
struct NotASchema {
    value: String,
}

struct Api;

#[auth_api]
impl Api {
    #[public]
    #[oai(path = "/a", method = "get")]
    async fn a(&self, _session: Session<NotASchema>) {}
}

fn main() {
    let _ = OpenApiService::new(Api, "Test", "1.0");
}
