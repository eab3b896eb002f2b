//! Numbers out of the seed: everything the base tenant holds is a pure function of (seed, stream, index).
//!
//! There is no generator that walks forward. A row can be computed alone, in any order, on any thread, twice, and comes
//! out the same; that is what lets a million users start at once. [`Dice`] walks, and is for change scripts only.

/// A well-mixed number for one (seed, stream, index); streams keep unrelated decisions independent.
pub(crate) fn mix(seed: u64, stream: u64, index: u64) -> u64 {
    let keyed =
        seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index.wrapping_add(1).wrapping_mul(0xD1B5_4A32_D192_ED03);
    finish(finish(keyed).wrapping_add(stream ^ 0xA076_1D64_78BD_642F))
}

fn finish(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The stream a name stands for, so that a new property never shifts the values of another.
pub(crate) fn stream(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// A sequence of numbers, for scripts that decide one thing after another.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(mix(seed, stream("dice"), 0))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        finish(self.0)
    }

    /// A number below `limit`; 0 when there is nothing to choose from.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        if limit == 0 { 0 } else { (self.next() % u64::from(limit)) as u32 }
    }
}

/// `start + k * stride mod modulus`: a duplicate-free walk over `modulus` numbers whose k-th element and whose inverse
/// are both cheap, so that members can be listed and membership be asked without a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progression {
    modulus: u32,
    start: u32,
    stride: u32,
}

impl Progression {
    /// A walk over `0..modulus` chosen by `entropy`. A modulus of 0 yields a walk nobody may ask anything of.
    pub(crate) fn new(modulus: u32, entropy: u64) -> Progression {
        let modulus = modulus.max(1);
        let start = (entropy % u64::from(modulus)) as u32;
        let mut stride = ((entropy >> 32) % u64::from(modulus)) as u32;
        while greatest_common_divisor(stride, modulus) != 1 {
            stride = (stride + 1) % modulus.max(2);
        }
        Progression { modulus, start, stride }
    }

    /// How many numbers it visits.
    pub(crate) fn modulus(&self) -> u32 {
        self.modulus
    }

    pub(crate) fn at(&self, k: u32) -> u32 {
        ((u64::from(self.start) + u64::from(k) * u64::from(self.stride)) % u64::from(self.modulus)) as u32
    }

    /// The k with `at(k) == value`.
    pub(crate) fn position_of(&self, value: u32) -> u32 {
        let modulus = u64::from(self.modulus);
        let distance = (u64::from(value) + modulus - u64::from(self.start)) % modulus;
        ((distance * u64::from(inverse(self.stride, self.modulus))) % modulus) as u32
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The multiplicative inverse of `value` modulo `modulus`; both are coprime by construction.
fn inverse(value: u32, modulus: u32) -> u32 {
    let (mut old_r, mut r) = (i64::from(value), i64::from(modulus));
    let (mut old_s, mut s) = (1_i64, 0_i64);
    while r != 0 {
        let quotient = old_r / r;
        (old_r, r) = (r, old_r - quotient * r);
        (old_s, s) = (s, old_s - quotient * s);
    }
    u32::try_from(old_s.rem_euclid(i64::from(modulus))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_progression_visits_everything_once_and_knows_where() {
        for modulus in [1, 2, 3, 10, 17, 360, 1_000] {
            for entropy in 0..20 {
                let walk = Progression::new(modulus, mix(7, entropy, 1));
                let mut seen = vec![false; modulus as usize];
                for k in 0..modulus {
                    let value = walk.at(k);
                    assert!(!seen[value as usize], "{value} twice in a walk over {modulus}");
                    seen[value as usize] = true;
                    assert_eq!(walk.position_of(value), k);
                }
            }
        }
    }

    #[test]
    fn streams_are_independent_of_each_other() {
        assert_ne!(mix(1, stream("mail"), 5), mix(1, stream("city"), 5));
        assert_eq!(mix(1, stream("mail"), 5), mix(1, stream("mail"), 5));
    }
}
