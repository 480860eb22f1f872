//! The normal distribution, cut to an interval: how much of it lies where, and draws from it.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

/// ln √(2π).
pub(super) const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_8;

/// Below this the distribution function is no longer a number that a float can hold well, and its series is used.
const FAR: f64 = -30.0;

/// Intervals narrower than this, times the distance from the middle where that is more than 1, are taken by their midpoint:
/// the first term that is left out is of the sixth order, 10⁻¹⁸ here.
const NARROW: f64 = 0.02;

/// The distribution function Φ.
pub(super) fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// ln Φ, with its relative accuracy far out on the left as well.
pub(super) fn ln_cdf(x: f64) -> f64 {
    if x >= 1.0 {
        return (-cdf(-x)).ln_1p();
    }
    if x >= FAR {
        return cdf(x).ln();
    }
    // The asymptotic series 1 - 1/x² + 3/x⁴ - 15/x⁶ + … (Abramowitz and Stegun, 26.2.12); at 30 its terms fall below 10⁻¹⁶
    // after the sixth.
    let inverse = 1.0 / (x * x);
    let mut term = 1.0;
    let mut series = 1.0;
    for odd in [1.0, 3.0, 5.0, 7.0, 9.0, 11.0] {
        term *= -odd * inverse;
        series += term;
    }
    -0.5 * x * x - (-x).ln() - LN_SQRT_TAU + series.ln()
}

/// ln (Φ(b) - Φ(a)), for `a` below `b`.
pub(super) fn ln_mass(a: f64, b: f64) -> f64 {
    let (width, middle) = (b - a, 0.5 * (a + b));
    if width * middle.abs().max(1.0) < NARROW {
        let (w2, m2) = (width * width, middle * middle);
        // The density at the midpoint, times the width, times what its second and fourth derivative add.
        let more = w2 * ((m2 - 1.0) / 24.0 + w2 * (m2 * m2 - 6.0 * m2 + 3.0) / 1920.0);
        return width.ln() - 0.5 * m2 - LN_SQRT_TAU + more.ln_1p();
    }
    if a > 0.0 {
        return ln_mass_left(-b, -a);
    }
    if b <= 0.0 {
        return ln_mass_left(a, b);
    }
    let outside = cdf(a) + cdf(-b);
    if outside < 0.5 {
        (-outside).ln_1p()
    } else {
        // Both terms are positive, so nothing cancels.
        (libm::erf(b * FRAC_1_SQRT_2) + libm::erf(-a * FRAC_1_SQRT_2)).ln() - LN_2
    }
}

/// The same for an interval that lies to the left of 0.
fn ln_mass_left(a: f64, b: f64) -> f64 {
    let upper = ln_cdf(b);
    let ratio = (ln_cdf(a) - upper).exp();
    upper + (-ratio).ln_1p()
}

/// The point of `[a, b]` below which the share `quantile` of the normal distribution cut to `[a, b]` lies.
pub(super) fn cut_quantile(quantile: f64, a: f64, b: f64) -> f64 {
    if a > 0.0 {
        return -cut_quantile(1.0 - quantile, -b, -a);
    }
    if b > FAR {
        // On the left both ends are numbers with their full relative accuracy, however small.
        let (low, high) = (cdf(a), cdf(b));
        return inverse_cdf(low + quantile * (high - low)).clamp(a, b);
    }
    // So far out the density falls off nearly like an exponential from `b` to the left; Newton's method on ln Φ does the rest.
    let reach = ((a - b) * -b).exp();
    let (low, upper) = (ln_cdf(a), quantile.ln() + ln_mass(a, b));
    let goal = low.max(upper) + (-(low - upper).abs()).exp().ln_1p();
    let mut x = (b + (quantile + (1.0 - quantile) * reach).ln() / -b).clamp(a, b);
    for _ in 0..3 {
        let log = ln_cdf(x);
        x -= (log - goal) * (log + 0.5 * x * x + LN_SQRT_TAU).exp();
    }
    x.clamp(a, b)
}

/// The inverse of Φ for a probability between 0 and 1, relative error about 10⁻¹⁶ (Wichura, "Algorithm AS 241: the percentage
/// points of the normal distribution", 1988).
fn inverse_cdf(probability: f64) -> f64 {
    let centred = probability - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * ratio(r, &CENTRE.0, &CENTRE.1);
    }
    let tail = if centred < 0.0 { probability } else { 1.0 - probability };
    if tail <= 0.0 {
        return if centred < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = (-tail.ln()).sqrt();
    let distance = if r <= 5.0 { ratio(r - 1.6, &NEAR.0, &NEAR.1) } else { ratio(r - 5.0, &TAIL.0, &TAIL.1) };
    distance.copysign(centred)
}

/// A ratio of two polynomials, coefficients from the constant upwards.
fn ratio(x: f64, above: &[f64; 8], below: &[f64; 8]) -> f64 {
    let value = |coefficients: &[f64; 8]| {
        coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
    };
    value(above) / value(below)
}

type Ratio = ([f64; 8], [f64; 8]);

const CENTRE: Ratio = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);

const NEAR: Ratio = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const TAIL: Ratio = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);
