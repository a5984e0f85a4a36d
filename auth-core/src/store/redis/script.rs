//! What the server does in one step: Lua scripts, each of which touches one key and so one slot.

use std::{fmt::Write, sync::LazyLock};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use redis::{Cmd, ErrorKind, FromRedisValue, ServerErrorKind};

use super::call::{Call, Effect};
use crate::error::Error;

/// A script, and the name by which the server knows it once it has run.
pub(in crate::store) struct Script {
    code: String,
    sha1: String,
}

impl Script {
    pub(in crate::store) fn new(code: impl Into<String>) -> Self {
        let code = code.into();
        let mut sha1 = String::with_capacity(40);
        for byte in digest(&SHA1_FOR_LEGACY_USE_ONLY, code.as_bytes()).as_ref() {
            // Nothing can go wrong in writing to a string.
            let _ = write!(sha1, "{byte:02x}");
        }
        Self { code, sha1 }
    }

    fn command(&self, by: &str, script: &str, key: &str, arguments: &[&[u8]]) -> Cmd {
        let mut command = redis::cmd(by);
        command.arg(script).arg(1).arg(key);
        for argument in arguments {
            command.arg(*argument);
        }
        command
    }

    /// Runs the script on a key: by its name, and where the server does not know it (it was
    /// restarted, or is another one) by its code, which makes it known.
    pub(in crate::store) async fn run<T: FromRedisValue>(
        &self,
        call: &Call<'_>,
        key: &str,
        arguments: &[&[u8]],
        effect: Effect,
    ) -> Result<T, Error> {
        let by_name = self.command("EVALSHA", &self.sha1, key, arguments);
        let answer = match call.answer(&by_name, effect).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let by_code = self.command("EVAL", &self.code, key, arguments);
                call.answer(&by_code, effect).await
            }
            answer => answer,
        };
        T::from_redis_value(answer.map_err(Error::session_store)?).map_err(Error::session_store)
    }
}

/// Reads and writes sessions, for the scripts that do. How they are stored stands in `record.rs`.
const SESSION: &str = r"
local key = KEYS[1]
local function read()
    local value = redis.call('GET', key)
    if not value then return nil end
    local version, active, idle, expires, known, handle, user, rest = string.match(value,
        '^1 (%d+) (%-?%d+) (%-?%d+) (%-?%d+) (%-?%d+) (%S+) (%S+)\n()')
    if not version then error('this key holds something else than a session') end
    return { version = version, active = active, idle = idle, expires = expires, known = known,
        handle = handle, user = user, rest = string.sub(value, rest) }
end
local function ends(session)
    return math.min(session.active + session.idle, tonumber(session.expires))
end
local function is_live(session, now)
    return session ~= nil and tonumber(now) < ends(session)
end
local function write(session, grace)
    redis.call('SET', key, string.format('1 %s %s %s %s %s %s %s\n', session.version,
        session.active, session.idle, session.expires, session.known, session.handle,
        session.user) .. session.rest)
    redis.call('PEXPIREAT', key, string.format('%.0f', math.max(1, ends(session) + grace)))
end
";

/// `G`one, `C`onflict, `I`f the user's index has to be told first, `D`one.
const UPDATE: &str = r"
local now, grace, before, indexed = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local new = { version = ARGV[5], active = ARGV[6], idle = ARGV[7], expires = ARGV[8],
    known = ARGV[8], handle = ARGV[9], user = ARGV[10], rest = ARGV[11] }
local old = read()
if not is_live(old, now) then return 'G' end
if old.version ~= before then return 'C' end
if new.user ~= '.' and indexed == '0' then
    if new.user ~= old.user or tonumber(new.expires) > tonumber(old.known) then return 'I' end
    new.known = old.known
end
if tonumber(new.active) < tonumber(old.active) then new.active = old.active end
write(new, grace)
return 'D'
";

const TOUCH: &str = r"
local now, grace = ARGV[1], tonumber(ARGV[2])
local session = read()
if not is_live(session, now) then return 0 end
if tonumber(session.active) < tonumber(now) then
    session.active = now
    write(session, grace)
end
return 1
";

/// Ends a session, of one user or handle where they are given: 1 if it was alive, 0 if it was not,
/// -1 if there is no such session.
const END: &str = r"
local now, user, handle = ARGV[1], ARGV[2], ARGV[3]
local session = read()
if not session then return -1 end
if user ~= '' and session.user ~= user then return -1 end
if handle ~= '' and session.handle ~= handle then return -1 end
redis.call('DEL', key)
return is_live(session, now) and 1 or 0
";

/// Removes a session that is dead.
const PURGE: &str = r"
local session = read()
if not session or is_live(session, ARGV[1]) then return 0 end
redis.call('DEL', key)
return 1
";

/// Notes a session in the index of its user, if a limit allows it: `F`ull, with all that is noted,
/// where that still has to be looked through; `R`efused; `D`one, with those that have to end;
/// `S`weep: done, and there is much in the index that may be dead.
///
/// The field `@` says when the index ends, `#` at which size it is to be swept.
const ENTER: &str = r"
local key = KEYS[1]
local member, entry, ends, full, max = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local decide = ARGV[6]
local victims = {}
if full ~= '' then
    local ignored = { ['@'] = true, ['#'] = true, [member] = true }
    for i = 7, #ARGV do ignored[ARGV[i]] = true end
    local all = redis.call('HGETALL', key)
    local counted = {}
    for i = 1, #all, 2 do
        if not ignored[all[i]] then
            local began = tonumber(string.match(all[i + 1], '^(%-?%d+) '))
            counted[#counted + 1] = { began = began, member = all[i], entry = all[i + 1] }
        end
    end
    if #counted >= max then
        if decide == '0' then return { 'F', all } end
        if full == 'R' then return { 'R', {} } end
        table.sort(counted, function(a, b)
            if a.began ~= b.began then return a.began < b.began end
            return a.member < b.member
        end)
        for i = 1, #counted + 1 - max do
            victims[#victims + 1] = counted[i].member
            victims[#victims + 1] = counted[i].entry
        end
    end
end
redis.call('HSET', key, member, entry)
local known = redis.call('HGET', key, '@')
if not known or tonumber(known) < tonumber(ends) then
    redis.call('HSET', key, '@', ends)
    redis.call('PEXPIREAT', key, ends)
end
if full == '' then
    local sweep = tonumber(redis.call('HGET', key, '#') or '32')
    if redis.call('HLEN', key) > sweep then return { 'S', {} } end
end
return { 'D', victims }
";

/// Drops from an index what was seen to be dead, unless it is another entry by now.
const HEAL: &str = r"
local key = KEYS[1]
for i = 1, #ARGV, 2 do
    if redis.call('HGET', key, ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', key, ARGV[i]) end
end
local length = redis.call('HLEN', key)
if redis.call('HGET', key, '#') then length = length - 1 end
if length <= 1 then
    redis.call('DEL', key)
else
    redis.call('HSET', key, '#', math.max(32, 2 * length))
end
return length
";

fn on_session(code: &str) -> Script {
    Script::new([SESSION, code].concat())
}

pub(super) static UPDATE_SESSION: LazyLock<Script> = LazyLock::new(|| on_session(UPDATE));
pub(super) static TOUCH_SESSION: LazyLock<Script> = LazyLock::new(|| on_session(TOUCH));
pub(super) static END_SESSION: LazyLock<Script> = LazyLock::new(|| on_session(END));
pub(super) static PURGE_SESSION: LazyLock<Script> = LazyLock::new(|| on_session(PURGE));
pub(super) static ENTER_INDEX: LazyLock<Script> = LazyLock::new(|| Script::new(ENTER));
pub(super) static HEAL_INDEX: LazyLock<Script> = LazyLock::new(|| Script::new(HEAL));
