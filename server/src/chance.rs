//! What is left to chance: new ids, and by how much waits differ.
//!
//! A seeded chance draws the same things in the same order every time. It is for tests alone: whoever
//! knows the seed knows the secrets of tokens that are made with it.

use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::{Builder, Uuid};

/// A source of chance: the operating system's, unless it was given a seed. Clones draw from one source.
#[derive(Clone, Debug, Default)]
pub struct Chance(Option<Arc<Seeded>>);

#[derive(Debug)]
struct Seeded {
    seed: u64,
    name: &'static str,
    drawn: AtomicU64,
}

impl Chance {
    /// A chance of which the seed decides everything.
    pub fn seeded(seed: u64) -> Self {
        Self::named(seed, "")
    }

    fn named(seed: u64, name: &'static str) -> Self {
        let drawn = AtomicU64::new(0);
        Self(Some(Arc::new(Seeded { seed, name, drawn })))
    }

    /// A source of its own at its beginning: what is drawn from it changes nothing of what is drawn here.
    #[must_use]
    pub fn apart(&self, name: &'static str) -> Self {
        match &self.0 {
            Some(seeded) => Self::named(seeded.seed, name),
            None => Self::default(),
        }
    }

    /// Whether a seed decides.
    pub fn is_seeded(&self) -> bool {
        self.0.is_some()
    }

    /// A new UUID (version 4).
    pub fn uuid(&self) -> Uuid {
        let Some(seeded) = &self.0 else {
            return Uuid::new_v4();
        };
        let drawn = seeded.drawn.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::new()
            .chain_update(seeded.seed.to_le_bytes())
            .chain_update(seeded.name)
            .chain_update(drawn.to_le_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A part of 1, from 0 up; of a seeded chance always 0.
    pub fn part(&self) -> f64 {
        match &self.0 {
            Some(_) => 0.0,
            None => rand::random_range(0.0..1.0),
        }
    }

    /// Lets a seeded chance draw from the beginning again.
    pub fn begin_anew(&self) {
        if let Some(seeded) = &self.0 {
            seeded.drawn.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    fn three(chance: &Chance) -> [String; 3] {
        [(); 3].map(|()| chance.uuid().to_string())
    }

    #[test]
    fn a_seed_decides_every_id_and_their_order() {
        let chance = Chance::seeded(7);
        let first = three(&chance);
        assert_eq!(three(&Chance::seeded(7)), first);
        assert_ne!(three(&chance), first);
        chance.begin_anew();
        assert_eq!(three(&chance), first);
        assert_ne!(three(&Chance::seeded(8)), first);
        assert!(first.iter().all(|id| id.as_bytes()[14] == b'4'));
    }

    #[test]
    fn a_source_apart_has_ids_of_its_own() {
        let chance = Chance::seeded(7);
        let apart = three(&chance.apart("driver"));
        assert_ne!(three(&chance), apart);
        assert_eq!(three(&chance.apart("driver")), apart);
    }

    #[test]
    fn without_a_seed_no_id_comes_twice() {
        assert_ne!(three(&Chance::default()), three(&Chance::default()));
    }

    #[test]
    fn without_a_seed_all_of_an_id_is_left_to_chance_but_its_version() {
        let drawn: Vec<u128> = (0..64)
            .map(|_| Chance::default().uuid().as_u128())
            .collect();
        let always = drawn.iter().fold(u128::MAX, |bits, id| bits & id);
        let ever = drawn.iter().fold(0, |bits, id| bits | id);
        let fixed = !(ever & !always);
        // RFC 9562, 5.4: four bits of the version, two of the variant.
        assert_eq!(fixed, 0xf000_c000_0000_0000_0000);
    }
}
