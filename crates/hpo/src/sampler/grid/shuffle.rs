//! The order in which Optuna tries a grid.

/// Words of the generator's state, and how far apart those are that it mixes.
const WORDS: usize = 624;
const APART: usize = 397;

/// 0, 1, … `count` - 1, shuffled as NumPy's `RandomState(seed).shuffle` shuffles a list: Fisher and Yates from the end, with
/// numbers of the Mersenne Twister.
pub(super) fn order(count: usize, seed: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    let mut twister = Twister::new(seed);
    for last in (1..count).rev() {
        let other = twister.up_to(last as u32) as usize;
        order.swap(last, other);
    }
    order
}

/// The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998).
struct Twister {
    words: [u32; WORDS],
    next: usize,
}

impl Twister {
    fn new(seed: u32) -> Self {
        let mut words = [seed; WORDS];
        for index in 1..WORDS {
            let before = words[index - 1];
            words[index] = 1_812_433_253_u32.wrapping_mul(before ^ (before >> 30)).wrapping_add(index as u32);
        }
        Self { words, next: WORDS }
    }

    fn bits(&mut self) -> u32 {
        if self.next == WORDS {
            for index in 0..WORDS {
                let joined = self.words[index] & 0x8000_0000 | self.words[(index + 1) % WORDS] & 0x7FFF_FFFF;
                let twist = if joined & 1 == 1 { 0x9908_B0DF } else { 0 };
                self.words[index] = self.words[(index + APART) % WORDS] ^ (joined >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut bits = self.words[self.next];
        self.next += 1;
        bits ^= bits >> 11;
        bits ^= (bits << 7) & 0x9D2C_5680;
        bits ^= (bits << 15) & 0xEFC6_0000;
        bits ^ (bits >> 18)
    }

    /// Uniform over `0..=most`: as many bits as `most` has, drawn anew as long as they are more.
    fn up_to(&mut self, most: u32) -> u32 {
        let mask = u32::MAX >> most.leading_zeros();
        loop {
            let value = self.bits() & mask;
            if value <= most {
                return value;
            }
        }
    }
}
