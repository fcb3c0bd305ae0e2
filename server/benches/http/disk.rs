//! What the disk does for one writer.

use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// What a write is at least, on disks and in the store.
const BLOCK: [u8; 4096] = [0x5a; 4096];
const BLOCKS: u64 = 4096;

/// How often a second a block inside a file is written and synced.
pub fn syncs_a_second(time: Duration) -> f64 {
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for block in 0..BLOCKS {
        file.write_all_at(&BLOCK, block * BLOCK.len() as u64)
            .unwrap();
    }
    file.sync_all().unwrap();
    let began = Instant::now();
    let mut syncs = 0;
    while began.elapsed() < time {
        let place = syncs % BLOCKS * BLOCK.len() as u64;
        file.write_all_at(&BLOCK, place).unwrap();
        file.sync_data().unwrap();
        syncs += 1;
    }
    syncs as f64 / began.elapsed().as_secs_f64()
}
