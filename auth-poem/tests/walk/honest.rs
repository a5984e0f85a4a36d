//! An honest application passes, and the report says what was done.

use auth_poem::testing::Walk;

use crate::app::{app, app_behind_a_guard, app_with_own_errors, walk};

#[tokio::test]
async fn passes_an_application_whose_document_is_made_from_its_policies() {
    let (app, document) = app();
    let report = walk(&app, &document).await;
    report.assert_clean();
    assert_eq!(report.skipped(), [""; 0]);
    assert_eq!(report.never_succeeded(), [""; 0]);
}

#[tokio::test]
async fn calls_every_operation_as_everybody_whom_the_document_knows() {
    let (app, document) = app();
    let report = walk(&app, &document).await;
    let callers = |operation: &str| {
        let of = |call: &&auth_poem::testing::Call| call.operation().to_string() == operation;
        let line = |call: &auth_poem::testing::Call| {
            let line = call.to_string();
            let rest = line.split_once(operation).unwrap().1.trim().to_owned();
            let (caller, answer) = rest.split_once("  ").unwrap();
            format!("{caller}: {}", answer.trim())
        };
        report.calls().iter().filter(of).map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        callers("DELETE /notes/{id}"),
        [
            "nobody: 401 missing_credentials",
            "bad bearer: 401 invalid_token",
            "stale session: 401 invalid_session",
            "bearer: 204",
            "bearer, lacking: 403 forbidden",
            "session: 204",
            "session, lacking: 403 forbidden",
        ]
    );
    assert_eq!(
        callers("GET /hello"),
        [
            "nobody: 200",
            "bad bearer: 401 invalid_token",
            "stale session: 200",
            "bearer: 200",
            "session: 200",
        ]
    );
    assert_eq!(
        callers("GET /partner"),
        [
            "nobody: 401 missing_credentials",
            "bad Partner: 401 missing_credentials",
            "bad bearer: 401 invalid_token",
            "stale session: 401 invalid_session",
            "only bearer: 401",
            "only Partner: 401 missing_credentials",
            "Partner and bearer: 200",
            "only session: 401",
            "only Partner: 401 missing_credentials",
            "Partner and session: 200",
        ]
    );
}

#[tokio::test]
async fn passes_an_application_with_errors_of_its_own() {
    let (app, document) = app_with_own_errors();
    let report = walk(&app, &document).await;
    report.assert_clean();
    assert_eq!(report.skipped(), [""; 0]);
    assert_eq!(report.never_succeeded(), [""; 0]);
    let text = report.to_string();
    for line in ["bearer, lacking             409", "bad bearer                  403"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(text.contains("stale session               440"), "{text}");
}

#[tokio::test]
async fn passes_an_application_behind_a_guard() {
    let (app, document) = app_behind_a_guard();
    let report = walk(&app, &document).await;
    report.assert_clean();
    assert_eq!(report.skipped(), [""; 0]);
    assert_eq!(report.never_succeeded(), [""; 0]);
    let text = report.to_string();
    let line = "GET /hello                    nobody                      401";
    assert!(text.contains(line), "{text}");
}

#[tokio::test]
async fn lists_what_it_could_not_call() {
    let (app, document) = app();
    let report = Walk::new(&app, &document.to_string()).prefix("/api").run().await;
    report.assert_clean();
    let skipped = report.skipped();
    assert!(
        skipped.iter().any(|line| line.contains("GET /me")
            && line.contains("there is no credential for `session`")),
        "{skipped:#?}"
    );
    assert!(report.never_succeeded().contains(&"GET /me".to_owned()));
    assert!(report.to_string().contains("GET /me never succeeded"));
}

#[tokio::test]
async fn finds_that_it_looks_in_the_wrong_place() {
    let (app, document) = app();
    let report = Walk::new(&app, &document.to_string()).prefix("/elsewhere").run().await;
    assert!(report.mismatches().iter().any(|line| line.contains("404 is not documented")));
}
