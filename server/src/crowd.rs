//! How many of something each of many has, and how many there are in all: connections and blocked queries of
//! addresses, waiters of operations.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Those who have some. Clones count together.
pub struct Crowd<Key>(Arc<Mutex<Counted<Key>>>);

struct Counted<Key> {
    each: HashMap<Key, usize>,
    in_all: usize,
}

/// How many there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// Of each who has some.
    pub of_each: usize,
    /// Of all together.
    pub in_all: usize,
}

/// Why there is no place for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// This one has as many as it may.
    OfThis,
    /// There are as many as there may be.
    InAll,
}

/// One of them, until this is dropped.
pub struct Place<Key: Hash + Eq> {
    crowd: Crowd<Key>,
    key: Key,
}

impl<Key: Hash + Eq + Clone> Crowd<Key> {
    /// Counts one more, if there may be one.
    pub fn admit(&self, key: Key, most: Most) -> Result<Place<Key>, Full> {
        let mut counted = self.lock();
        let known = counted.each.get(&key).copied().unwrap_or(0);
        if known >= most.of_each {
            return Err(Full::OfThis);
        }
        if counted.in_all >= most.in_all {
            return Err(Full::InAll);
        }
        counted.each.insert(key.clone(), known + 1);
        counted.in_all += 1;
        let crowd = self.clone();
        Ok(Place { crowd, key })
    }
}

impl<Key> Crowd<Key> {
    fn lock(&self) -> MutexGuard<'_, Counted<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Key> Default for Crowd<Key> {
    fn default() -> Self {
        let counted = Counted {
            each: HashMap::new(),
            in_all: 0,
        };
        Self(Arc::new(Mutex::new(counted)))
    }
}

impl<Key> Clone for Crowd<Key> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Key: Hash + Eq> Drop for Place<Key> {
    fn drop(&mut self) {
        let mut counted = self.crowd.lock();
        counted.in_all -= 1;
        if let Some(known) = counted.each.get_mut(&self.key) {
            *known -= 1;
            if *known == 0 {
                counted.each.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Crowd, Full, Most};

    #[test]
    fn each_is_counted_by_itself_and_forgotten_when_it_has_none() {
        let crowd = Crowd::default();
        let most = Most {
            of_each: 2,
            in_all: 3,
        };
        let of = |who: char| crowd.admit(who, most);
        let (first, second) = (of('a').unwrap(), of('a').unwrap());
        assert_eq!(of('a').err(), Some(Full::OfThis));
        let other = of('b').unwrap();
        assert_eq!(of('c').err(), Some(Full::InAll));
        drop((first, other));
        assert_eq!(crowd.lock().each.len(), 1);
        drop((of('a').unwrap(), second));
        assert_eq!(crowd.lock().in_all, 0);
        assert!(crowd.lock().each.is_empty());
    }
}
