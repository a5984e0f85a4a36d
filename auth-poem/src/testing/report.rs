//! What a walk found.

use std::fmt;

use poem::http::StatusCode;

use super::{document::Operation, rules::Caller};

/// The calls of a [`Walk`](super::Walk), and what about their answers is not as the document says.
///
/// Prints one line per call:
///
/// ```text
/// ok       GET /user           nobody                  401 missing_credentials
/// ok       GET /user           bearer                  200
/// DIFFERS  GET /users          session, lacking        200: the requirement is not met, so it must be 403
/// skipped  POST /upload        nobody                  never ends
/// ```
#[derive(Debug)]
#[must_use = "a report is there to be looked at: `assert_clean`"]
pub struct Report {
    problems: Vec<String>,
    calls: Vec<Call>,
}

/// One call of a walk.
#[derive(Debug)]
pub struct Call {
    pub(super) operation: Operation,
    pub(super) caller: Caller,
    pub(super) outcome: Outcome,
}

/// How a call went.
#[derive(Debug)]
pub(super) enum Outcome {
    /// As documented, or `allowed` where it is not.
    Agrees { status: StatusCode, code: Option<String>, allowed: bool },
    /// Not as documented.
    Differs { status: StatusCode, code: Option<String>, mismatches: Vec<String> },
    /// Not called, and why.
    Skipped(String),
}

impl Call {
    /// The operation.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The status of the answer, `None` if the call was left out.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match &self.outcome {
            Outcome::Agrees { status, .. } | Outcome::Differs { status, .. } => Some(*status),
            Outcome::Skipped(_) => None,
        }
    }

    fn differs(&self) -> bool {
        matches!(self.outcome, Outcome::Differs { .. })
    }
}

impl Report {
    pub(super) fn new(mut problems: Vec<String>, calls: Vec<Call>) -> Self {
        if calls.is_empty() && problems.is_empty() {
            problems.push("the document names no operation".to_owned());
        }
        Self { problems, calls }
    }

    /// The calls, in the order of the document.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// What is not as the document says, one line each: first what is wrong with the document by
    /// itself, then the calls.
    #[must_use]
    pub fn mismatches(&self) -> Vec<String> {
        let calls = self.calls.iter().filter(|call| call.differs()).map(Call::to_string);
        self.problems.iter().cloned().chain(calls).collect()
    }

    /// The calls that were left out, one line each with the reason.
    #[must_use]
    pub fn skipped(&self) -> Vec<String> {
        let skipped = |call: &&Call| matches!(call.outcome, Outcome::Skipped(_));
        self.calls.iter().filter(skipped).map(Call::to_string).collect()
    }

    /// The operations that no call brought to success. What their bodies do was not seen; give
    /// them a [`Sample`](super::Sample).
    #[must_use]
    pub fn never_succeeded(&self) -> Vec<String> {
        let succeeded = |call: &&Call| {
            call.status().is_some_and(|status| status.is_success() || status.is_redirection())
        };
        let mut operations: Vec<String> = Vec::new();
        let name = |call: &Call| call.operation.to_string();
        let good: Vec<String> = self.calls.iter().filter(succeeded).map(name).collect();
        for operation in self.calls.iter().map(name) {
            if !good.contains(&operation) && !operations.contains(&operation) {
                operations.push(operation);
            }
        }
        operations
    }

    /// Passes if the server does what the document says.
    ///
    /// # Panics
    ///
    /// If it does not; the message holds the report.
    #[track_caller]
    pub fn assert_clean(&self) {
        let mismatches = self.mismatches();
        assert!(
            mismatches.is_empty(),
            "the server does not do what its document says:\n\n{}\n\nall calls:\n\n{self}",
            mismatches.join("\n")
        );
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "DIFFERS  {problem}")?;
        }
        for call in &self.calls {
            writeln!(f, "{call}")?;
        }
        for operation in self.never_succeeded() {
            writeln!(f, "note     {operation} never succeeded")?;
        }
        Ok(())
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, caller, outcome } = self;
        let (word, text) = match outcome {
            Outcome::Agrees { status, code, allowed } => {
                let word = if *allowed { "allowed" } else { "ok" };
                (word, answer(*status, code.as_deref()))
            }
            Outcome::Differs { status, code, mismatches } => {
                let answer = answer(*status, code.as_deref());
                ("DIFFERS", format!("{answer}: {}", mismatches.join("; ")))
            }
            Outcome::Skipped(reason) => ("skipped", reason.clone()),
        };
        write!(f, "{word:7}  {:28}  {:26}  {text}", operation.to_string(), caller.to_string())
    }
}

fn answer(status: StatusCode, code: Option<&str>) -> String {
    match code {
        Some(code) => format!("{} {code}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}
