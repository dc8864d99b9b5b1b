//! The logistic function and its inverse in whole numbers, the same on every processor.

/// One unit of the stretched domain, ln(p / (1 - p)).
pub(super) const UNIT: i32 = 256;
/// The ends of the stretched domain.
pub(super) const LIMIT: i32 = 12 * UNIT;
/// The distance of two points of [`POINTS`].
const STEP: i32 = UNIT / 4;

/// 65536 / (1 + exp(-x)) for x from -12 to 12 in quarters.
const POINTS: [i32; 97] = [
    1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 28, 36, 47, 60, 77, 98, 126, 162, 208,
    267, 342, 439, 562, 720, 922, 1179, 1506, 1921, 2446, 3108, 3938, 4971, 6249, 7812, 9702,
    11955, 14595, 17625, 21025, 24743, 28693, 32768, 36843, 40793, 44511, 47911, 50941, 53581,
    55834, 57724, 59287, 60565, 61598, 62428, 63090, 63615, 64030, 64357, 64614, 64816, 64974,
    65097, 65194, 65269, 65328, 65374, 65410, 65438, 65459, 65476, 65489, 65500, 65508, 65514,
    65519, 65523, 65526, 65528, 65530, 65531, 65532, 65533, 65534, 65534, 65535, 65535, 65535,
    65535, 65535, 65535,
];

/// The probability in 1/65536 of a stretched value; from 1 to 65535.
pub(super) const fn squash(x: i32) -> u32 {
    if x >= LIMIT {
        return POINTS[96] as u32;
    }
    if x <= -LIMIT {
        return POINTS[0] as u32;
    }
    let from_left = x + LIMIT;
    let (place, rest) = (from_left / STEP, from_left % STEP);
    let (left, right) = (POINTS[place as usize], POINTS[place as usize + 1]);
    (left + (right - left) * rest / STEP) as u32
}

/// The inverse of [`squash`], for probabilities in 1/4096.
pub(super) const STRETCH: [i16; 4096] = {
    let mut table = [0i16; 4096];
    let mut x = -LIMIT;
    let mut i = 0;
    while i < 4096 {
        while x < LIMIT && squash(x) < i as u32 * 16 + 8 {
            x += 1;
        }
        table[i] = x as i16;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretching_undoes_squashing() {
        for x in (-7 * UNIT..=7 * UNIT).step_by(16) {
            let back = i32::from(STRETCH[squash(x) as usize >> 4]);
            let tolerance = 4 + (x.abs() / UNIT).pow(4) / 8;
            assert!((back - x).abs() <= tolerance, "{x} came back as {back}");
        }
    }
}
