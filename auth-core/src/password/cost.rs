//! What a password hash costs: [`Argon2Cost`].

use argon2::Params;

use super::phc::TAG_BYTES;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes. They are computed one after the other: more than 1 helps an attacker only.
    pub parallelism: u32,
}

impl Default for Argon2Cost {
    /// 19 MiB, 2 passes, 1 lane, the least that the
    /// [OWASP cheat sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id)
    /// asks for. More is safer, as far as the server's memory and patience go.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

impl Argon2Cost {
    /// The five choices of memory and passes that OWASP holds equally good. Less is refused.
    pub(super) const MINIMA: [(u32, u32); 5] =
        [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

    /// Whether OWASP would do with it.
    pub(super) fn is_sufficient(self) -> bool {
        Self::MINIMA
            .iter()
            .any(|&(memory, passes)| self.memory_kib >= memory && self.iterations >= passes)
    }

    pub(super) fn of(params: &Params) -> Self {
        Self {
            memory_kib: params.m_cost(),
            iterations: params.t_cost(),
            parallelism: params.p_cost(),
        }
    }

    pub(super) fn params(self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.iterations, self.parallelism, Some(TAG_BYTES))
    }

    /// The time that the cost stands for, in passes over a KiB.
    pub(super) fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }

    /// The cost that takes as long as this one takes longer than the other. `None` where the
    /// difference is too small to be made up for.
    pub(super) fn beyond(self, other: Self) -> Option<Self> {
        let rest = self.work().saturating_sub(other.work());
        let passes = rest.div_ceil(u64::from(self.memory_kib)).max(1);
        let memory_kib = u32::try_from(rest / passes).ok()?;
        let iterations = u32::try_from(passes).ok()?;
        (memory_kib >= Params::MIN_M_COST).then_some(Self {
            memory_kib,
            iterations,
            parallelism: 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_of_two_costs_is_made_up_for() {
        let configured = Argon2Cost::default();
        for (memory_kib, iterations) in [(8, 1), (4_096, 3), (9_216, 4), (19_456, 1), (16_384, 2)] {
            let stored = Argon2Cost { memory_kib, iterations, parallelism: 1 };
            let rest = configured.beyond(stored).unwrap();
            assert!(rest.params().is_ok() && rest.memory_kib <= configured.memory_kib);
            let total = stored.work() + rest.work();
            assert!(total.abs_diff(configured.work()) < 8, "{stored:?} and {rest:?}");
        }
        assert_eq!(configured.beyond(configured), None);
        assert_eq!(configured.beyond(Argon2Cost { memory_kib: 65_536, ..configured }), None);
    }
}
