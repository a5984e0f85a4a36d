//! Running this program under callgrind, and reading what it counted.

use std::{
    collections::HashMap,
    error::Error,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What was counted between two boundaries, in all threads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

/// Where callgrind writes down what it has counted, and starts from zero.
#[inline(never)]
pub(crate) fn boundary() {
    // Something to do, or else the compiler would leave the call out.
    black_box(0);
}

/// The functions of the C library that hand out memory.
const ALLOCATORS: [&str; 6] =
    ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"];

/// Runs this program under callgrind with an argument and a variable, and returns what was counted
/// from each odd boundary to the even one after it.
pub(crate) fn count(
    argument: &str,
    variable: &str,
    value: &str,
) -> Result<Vec<Count>, Box<dyn Error>> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cost");
    fs::remove_dir_all(&directory).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    fs::create_dir_all(&directory)?;
    let output = directory.join("out");
    let run = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg("--dump-before=*callgrind*boundary*")
        .arg(format!("--callgrind-out-file={}", output.display()))
        .arg(std::env::current_exe()?)
        .arg(argument)
        .env(variable, value)
        .stdout(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into());
    }
    // Part 1 ends at the first boundary, part 2 at the second.
    (2..)
        .step_by(2)
        .map(|part| output.with_extension(part.to_string()))
        .take_while(|part| part.exists() && part.with_extension("").exists())
        .map(|part| read(&part))
        .collect()
}

/// Reads one part: <https://valgrind.org/docs/manual/cl-format.html>.
fn read(part: &Path) -> Result<Count, Box<dyn Error>> {
    let text = fs::read_to_string(part)?;
    let mut names = HashMap::new();
    let mut instructions = None;
    let mut allocations = 0;
    let mut called = "";
    for line in text.lines() {
        if let Some(total) = line.strip_prefix("totals: ") {
            instructions = Some(total.trim().parse()?);
        } else if let Some((kind @ ("fn" | "cfn"), function)) = line.split_once('=') {
            // `(id) name` where a function is named first, `(id)` from then on.
            let (id, name) = function.split_once(' ').unwrap_or((function, ""));
            if !name.is_empty() {
                names.insert(id, name);
            }
            if kind == "cfn" {
                called = names.get(id).copied().unwrap_or_default();
            }
        } else if let Some(calls) = line.strip_prefix("calls=")
            && ALLOCATORS.contains(&called)
        {
            let count = calls.split(' ').next().unwrap_or_default();
            allocations += count.parse::<u64>()?;
        }
    }
    let instructions = instructions.ok_or_else(|| format!("no totals in {}", part.display()))?;
    Ok(Count { instructions, allocations })
}
