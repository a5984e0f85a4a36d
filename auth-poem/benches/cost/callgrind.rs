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
    /// Without those of the allocator, which depend on what is free at the moment.
    pub(crate) instructions: u64,
    /// Those of the allocator.
    pub(crate) allocator: u64,
    pub(crate) allocations: u64,
}

/// Where callgrind writes down what it has counted, and starts from zero.
#[inline(never)]
pub(crate) fn boundary() {
    // Something to do, or else the compiler would leave the call out.
    black_box(0);
}

/// The functions of the C library that hand out memory.
const ALLOCATING: [&str; 6] =
    ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"];

/// What the names of the other functions of glibc's allocator begin with.
const ALLOCATOR: [&str; 9] = [
    "free",
    "_int_malloc",
    "_int_free",
    "_int_realloc",
    "_int_memalign",
    "_mid_memalign",
    "malloc_consolidate",
    "unlink_chunk",
    "sysmalloc",
];

fn is_allocator(function: &str) -> bool {
    ALLOCATING.contains(&function)
        || ALLOCATOR.iter().any(|name| {
            // Parts that the compiler has split off are named `name.part.0` and the like.
            function.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
}

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
    let mut count = Count { instructions: 0, allocator: 0, allocations: 0 };
    let (mut function, mut called) = ("", "");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((kind @ ("fn" | "cfn"), named)) = line.split_once('=') {
            // `(id) name` where a function is named first, `(id)` from then on. Recursive calls
            // have a number behind the name.
            let (id, name) = named.split_once(' ').unwrap_or((named, ""));
            if !name.is_empty() {
                names.insert(id, name.split('\'').next().unwrap_or(name));
            }
            let name = names.get(id).copied().unwrap_or_default();
            *(if kind == "fn" { &mut function } else { &mut called }) = name;
        } else if let Some(calls) = line.strip_prefix("calls=") {
            if ALLOCATING.contains(&called) {
                count.allocations += calls.split(' ').next().unwrap_or_default().parse::<u64>()?;
            }
            // The next line has what the called function cost; it is counted where it stands.
            lines.next();
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first))
            && let Some((_, cost)) = line.split_once(' ')
        {
            let cost = cost.parse::<u64>()?;
            if is_allocator(function) {
                count.allocator += cost;
            } else {
                count.instructions += cost;
            }
        }
    }
    if count.instructions == 0 {
        return Err(format!("nothing was counted in {}", part.display()).into());
    }
    Ok(count)
}
