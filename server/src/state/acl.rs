//! Access control in the tables: tokens, by accessor and by what is kept of their secrets, policies and
//! roles.

use super::row::{Unreadable, read, unreadable};
use super::{State, Stored};
use crate::acl::{Bootstrap, Policy, PolicyEntry, Role, Rules, SecretHash, Token};
use crate::store::keys::Table;
use crate::store::{Index, Key, Row};
use imbl::OrdMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The tables of access control.
#[derive(Clone, Debug, Default)]
pub(super) struct Acl {
    tokens: OrdMap<String, Arc<Stored<Token>>>,
    accessors: OrdMap<SecretHash, String>,
    policies: OrdMap<String, Arc<PolicyEntry>>,
    roles: OrdMap<String, Arc<Stored<Role>>>,
    role_names: OrdMap<String, String>,
    bootstrapped: Option<Index>,
    tokens_index: Index,
    policies_index: Index,
    roles_index: Index,
}

impl Acl {
    pub(super) fn put(
        &mut self,
        table: Table,
        key: &Key,
        names: &str,
        row: &Row,
    ) -> Result<(), Unreadable> {
        match table {
            Table::Token => {
                let stored: Stored<Token> = read(key, row)?;
                let accessor = stored.row.accessor.clone();
                self.accessors
                    .insert(stored.row.secret.clone(), accessor.clone());
                self.tokens.insert(accessor, Arc::new(stored));
            }
            Table::Policy => {
                let stored: Stored<Policy> = read(key, row)?;
                let rules =
                    Rules::parse(&stored.row.rules).map_err(|error| unreadable(key, error))?;
                let name = stored.row.name.clone();
                self.policies
                    .insert(name, Arc::new(PolicyEntry { stored, rules }));
            }
            Table::Role => {
                let stored: Stored<Role> = read(key, row)?;
                self.roles.insert(stored.row.id.clone(), Arc::new(stored));
            }
            Table::RoleName => {
                let stored: Stored<String> = read(key, row)?;
                self.role_names.insert(names.to_owned(), stored.row);
            }
            // No table of another kind comes here.
            _ => {
                let stored: Stored<Bootstrap> = read(key, row)?;
                self.bootstrapped = Some(stored.modified);
            }
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, table: Table, name: &str) {
        match table {
            Table::Token => {
                if let Some(removed) = self.tokens.remove(name) {
                    self.accessors.remove(&removed.row.secret);
                }
            }
            Table::Policy => {
                self.policies.remove(name);
            }
            Table::Role => {
                self.roles.remove(name);
            }
            Table::RoleName => {
                self.role_names.remove(name);
            }
            // Likewise.
            _ => self.bootstrapped = None,
        }
    }

    /// Nothing, where all changed at this index.
    pub(super) fn emptied_at(index: Index) -> Self {
        Self {
            tokens_index: index,
            policies_index: index,
            roles_index: index,
            ..Self::default()
        }
    }

    pub(super) fn settle(&mut self, index: Index, touched: &BTreeSet<Table>) {
        for (table, newest) in [
            (Table::Token, &mut self.tokens_index),
            (Table::Policy, &mut self.policies_index),
            (Table::Role, &mut self.roles_index),
        ] {
            if touched.contains(&table) {
                *newest = index;
            }
        }
    }

    /// The tables in which these and later ones differ.
    pub(super) fn differences(&self, later: &Acl) -> BTreeSet<Table> {
        let tokens = |acl: &Acl| -> Vec<_> {
            let rows = acl.tokens.iter();
            rows.map(|(name, token)| (name.clone(), token.modified))
                .collect()
        };
        let policies = |acl: &Acl| -> Vec<_> {
            let rows = acl.policies.iter();
            rows.map(|(name, policy)| (name.clone(), policy.stored.modified))
                .collect()
        };
        let roles = |acl: &Acl| -> Vec<_> {
            let rows = acl.roles.iter();
            rows.map(|(id, role)| (id.clone(), role.modified)).collect()
        };
        let differs = [
            (Table::Token, tokens(self) != tokens(later)),
            (Table::Policy, policies(self) != policies(later)),
            (Table::Role, roles(self) != roles(later)),
        ];
        differs
            .into_iter()
            .filter_map(|(table, differs)| differs.then_some(table))
            .collect()
    }
}

impl State {
    /// A token, by its accessor.
    pub fn token(&self, accessor: &str) -> Option<&Arc<Stored<Token>>> {
        self.acl.tokens.get(accessor)
    }

    /// The token of a secret.
    pub fn token_of(&self, secret: &SecretHash) -> Option<&Arc<Stored<Token>>> {
        self.token(self.acl.accessors.get(secret)?)
    }

    /// All tokens, by accessor.
    pub fn tokens(&self) -> impl Iterator<Item = &Arc<Stored<Token>>> {
        self.acl.tokens.values()
    }

    /// The newest commit to a token.
    pub fn tokens_index(&self) -> Index {
        self.acl.tokens_index
    }

    /// A policy, by its name.
    pub fn policy(&self, name: &str) -> Option<&Arc<PolicyEntry>> {
        self.acl.policies.get(name)
    }

    /// All policies, by name.
    pub fn policies(&self) -> impl Iterator<Item = &Arc<PolicyEntry>> {
        self.acl.policies.values()
    }

    /// The newest commit to a policy.
    pub fn policies_index(&self) -> Index {
        self.acl.policies_index
    }

    /// A role, by its id.
    pub fn role(&self, id: &str) -> Option<&Arc<Stored<Role>>> {
        self.acl.roles.get(id)
    }

    /// A role, by its name.
    pub fn role_named(&self, name: &str) -> Option<&Arc<Stored<Role>>> {
        self.role(self.acl.role_names.get(name)?)
    }

    /// All roles, by id.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Stored<Role>>> {
        self.acl.roles.values()
    }

    /// The newest commit to a role.
    pub fn roles_index(&self) -> Index {
        self.acl.roles_index
    }

    /// The newest commit to anything of these.
    pub fn acl_index(&self) -> Index {
        let newest = self.tokens_index().max(self.policies_index());
        newest.max(self.roles_index())
    }

    /// The commit that made the first token, if there was one.
    pub fn bootstrapped(&self) -> Option<Index> {
        self.acl.bootstrapped
    }
}
