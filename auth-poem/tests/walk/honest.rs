//! An honest application passes, and the report says what was done.

use auth_poem::testing::{Sample, Walk};
use serde_json::json;

use crate::app::{app, walk};

#[tokio::test]
async fn passes_an_application_whose_document_is_made_from_its_policies() {
    let (app, document) = app();
    let report = walk(&app, &document).await;
    println!("{report}");
    report.assert_clean();
    assert_eq!(report.skipped(), [""; 0]);
    assert_eq!(report.never_succeeded(), [""; 0]);
}
