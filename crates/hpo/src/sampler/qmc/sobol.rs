//! Points of Sobol's sequence.

#[cfg(test)]
mod tests;

/// Binary digits of a coordinate.
const BITS: u32 = 32;
/// One line per dimension from the second on: a primitive polynomial over GF(2), as the bits of a number, and the first
/// direction numbers. S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections" (2008),
/// search criterion D(6).
const DIRECTIONS: &str = include_str!("directions.txt");

/// As many dimensions as the table knows.
pub(super) const MOST_DIMENSIONS: usize = 256;

/// Sobol's sequence with nested uniform scrambling (A. B. Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences", 1995):
/// each binary digit of a coordinate is flipped or not, depending on the digits before it. Every point is uniform, and any 2ᵏ
/// that begin at a multiple of 2ᵏ are as even as without scrambling; a point of each elementary interval.
#[derive(Clone, Debug)]
pub(super) struct Sobol {
    /// Per dimension, what each binary digit of a point's number adds.
    directions: Vec<[u32; BITS as usize]>,
    /// Without one the sequence is as it is, and begins with the origin.
    seed: Option<u64>,
}

impl Sobol {
    /// The first `dimensions` dimensions, at most [`MOST_DIMENSIONS`].
    pub(super) fn new(dimensions: usize, seed: Option<u64>) -> Self {
        let mut directions = vec![std::array::from_fn(|bit| 1 << (BITS - 1 - bit as u32))];
        directions.extend(DIRECTIONS.lines().take(MOST_DIMENSIONS - 1).map(directions_of));
        directions.truncate(dimensions);
        Self { directions, seed }
    }

    /// Point `number`, counted from 0, each coordinate in [0, 1). Numbers of 2³² and more begin again.
    pub(super) fn point(&self, number: u64) -> Vec<f64> {
        let number = number as u32;
        // In the order of the Gray code, neighbours differ by one direction alone, and any 2ᵏ that begin at a multiple of 2ᵏ are
        // the same points as in natural order.
        let code = number ^ (number >> 1);
        let coordinate = |(dimension, directions): (usize, &[u32; BITS as usize])| {
            let bits = (0..BITS)
                .filter(|bit| code >> bit & 1 == 1)
                .fold(0, |sum, bit| sum ^ directions[bit as usize]);
            let bits = self.seed.map_or(bits, |seed| scrambled(bits, hash(seed ^ hash(dimension as u64))));
            f64::from(bits) / f64::from(BITS).exp2()
        };
        self.directions.iter().enumerate().map(coordinate).collect()
    }
}

/// The directions of a line of the table, by Sobol's recurrence.
fn directions_of(line: &str) -> [u32; BITS as usize] {
    let mut numbers = line.split(' ').filter_map(|number| number.parse::<u32>().ok());
    let polynomial = numbers.next().unwrap_or(1);
    let degree = polynomial.ilog2() as usize;
    let mut directions = [0; BITS as usize];
    for (bit, number) in numbers.take(degree).enumerate() {
        directions[bit] = number << (BITS - 1 - bit as u32);
    }
    for bit in degree..BITS as usize {
        directions[bit] = directions[bit - degree] ^ (directions[bit - degree] >> degree);
        for back in 1..degree {
            if polynomial >> (degree - back) & 1 == 1 {
                directions[bit] ^= directions[bit - back];
            }
        }
    }
    directions
}

/// Flips each binary digit, from the first on, by a coin that depends on the digits before it.
fn scrambled(bits: u32, seed: u64) -> u32 {
    (0..BITS).fold(bits, |out, digit| {
        // The digits before, with a 1 in front, so that 0 and 00 are different.
        let before = (1_u64 << digit) | u64::from(bits).wrapping_shr(BITS - digit) & ((1 << digit) - 1);
        out ^ (((hash(seed ^ hash(before)) >> 63) as u32) << (BITS - 1 - digit))
    })
}

/// The output function of SplitMix64 (Steele, Lea and Flood, 2014).
fn hash(value: u64) -> u64 {
    let z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
