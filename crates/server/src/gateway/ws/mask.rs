//! Unmasking (RFC 6455, section 5.3): an exclusive or with four repeating bytes.

/// Unmasks `bytes` in place and returns the mask turned to where the next bytes of the same frame
/// go on, so that a frame may come in pieces of any size.
pub(super) fn unmask(bytes: &mut [u8], mask: [u8; 4]) -> [u8; 4] {
    let [a, b, c, d] = mask;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let turn = bytes.len() % mask.len();
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
    let mut next = mask;
    next.rotate_left(turn);
    next
}

#[cfg(test)]
mod tests {
    use super::unmask;

    #[test]
    fn every_cut_of_a_frame_unmasks_to_the_same() {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let plain: Vec<u8> = (0..=66).collect();
        let masked: Vec<u8> = plain
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect();
        for first in 0..plain.len() {
            for second in first..plain.len() {
                let mut bytes = masked.clone();
                let mask = unmask(&mut bytes[..first], mask);
                let mask = unmask(&mut bytes[first..second], mask);
                unmask(&mut bytes[second..], mask);
                assert_eq!(bytes, plain, "cut at {first} and {second}");
            }
        }
    }
}
