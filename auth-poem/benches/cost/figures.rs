//! The figures: what is measured, and what `cost.md` says.

use std::fs;

use crate::{
    callgrind::Count,
    cases::{CASES, Case, REQUESTS},
};

/// The file in which the figures are kept, and the lines between which they stand.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/cost.md");
const BEGIN: &str = "<!-- figures of `cargo bench -p auth-poem --bench cost -- --record` -->\n";
const END: &str = "<!-- end -->\n";

/// What a request of one case costs.
pub(crate) struct Figure {
    case: &'static Case,
    /// The operation without authentication.
    bare: u64,
    /// What authentication adds, without the allocator.
    instructions: u64,
    /// What the allocator adds to that.
    allocator: i64,
    allocations: u64,
}

pub(crate) fn of(counts: &[Count]) -> Vec<Figure> {
    assert_eq!(counts.len(), 2 * CASES.len(), "some case was not measured");
    let each = |total: u64| total / REQUESTS as u64;
    let figure = |(case, counts): (&'static Case, &[Count])| {
        let (bare, ours) = (counts[0], counts[1]);
        Figure {
            case,
            bare: each(bare.instructions + bare.allocator),
            instructions: each(ours.instructions - bare.instructions),
            allocator: (ours.allocator as i64 - bare.allocator as i64) / REQUESTS as i64,
            // Rounded: once in a while a map grows.
            allocations: (ours.allocations - bare.allocations + REQUESTS as u64 / 2)
                / REQUESTS as u64,
        }
    };
    CASES.iter().zip(counts.chunks(2)).map(figure).collect()
}

impl Figure {
    /// Everything that authentication adds.
    fn total(&self) -> i64 {
        self.instructions as i64 + self.allocator
    }

    fn row(&self) -> String {
        let Self { case, bare, instructions, allocator, allocations } = self;
        let (most, most_allocations) = case.target;
        let target = match (most, most_allocations) {
            (None, None) => String::new(),
            (Some(most), None) => format!("{most}"),
            (most, Some(allocations)) => {
                format!("{}, {allocations} allocations", most.unwrap_or_default())
            }
        };
        let met = match target.is_empty() {
            true => "",
            false
                if most.is_none_or(|most| self.total() <= most as i64)
                    && most_allocations.is_none_or(|most| *allocations <= most) =>
            {
                "yes"
            }
            false => "no",
        };
        let total = self.total();
        format!(
            "| {} | {bare} | {instructions} | {allocator} | {total} | {allocations} | {target} | \
             {met} |\n",
            case.name
        )
    }
}

pub(crate) fn table(figures: &[Figure]) -> String {
    let mut table = "| case | bare operation | added | added in the allocator | added in all \
                     | allocations added | target | met |\n\
                     |---|--:|--:|--:|--:|--:|--:|---|\n"
        .to_owned();
    table.extend(figures.iter().map(Figure::row));
    table
}

/// Writes the table into the file.
pub(crate) fn record(figures: &[Figure]) {
    let text = fs::read_to_string(FILE).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let table = table(figures);
    fs::write(FILE, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
}

/// The cases that cost more than the file says and a tenth of it, one sentence each.
pub(crate) fn beyond_budget(figures: &[Figure]) -> Vec<String> {
    let text = fs::read_to_string(FILE).unwrap();
    let mut beyond = Vec::new();
    for figure in figures {
        let name = figure.case.name;
        let start = format!("| {name} |");
        let Some(row) = text.lines().find(|line| line.starts_with(&start)) else {
            beyond.push(format!("{name}: not in {FILE}; record it"));
            continue;
        };
        let cells: Vec<u64> =
            row.split('|').map(|cell| cell.trim().parse().unwrap_or_default()).collect();
        // Before the first bar there is an empty cell.
        for (what, measured, recorded) in [
            ("instructions", figure.instructions, cells[3]),
            ("allocations", figure.allocations, cells[6]),
        ] {
            let most = recorded + recorded / 10;
            if measured > most {
                beyond.push(format!(
                    "{name}: {measured} {what}, recorded are {recorded}, allowed {most}"
                ));
            }
        }
    }
    beyond
}
