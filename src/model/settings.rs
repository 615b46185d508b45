//! Settings that limit a plan: policy, owners, guards.

use super::ids::UserId;
use super::shard::Shard;
use serde::de::Error as _;
use std::fmt;

/// The kinds of writes that a plan may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Create, update and delete.
    Sync,
    /// Create and update.
    Upsert,
    /// Create only.
    Create,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sync => "sync",
            Self::Upsert => "upsert",
            Self::Create => "create",
        })
    }
}

/// A user; the manifest may claim and delete their undeclared annotations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The user who owns the app.
    AppOwner,
    /// The user who makes the listing.
    Me,
    /// All users.
    Any,
    User(UserId),
}

/// A limit: a percentage of what exists, or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardLimit {
    /// 0..=100.
    Percent(u32),
    Count(u64),
}

impl GuardLimit {
    /// Parses `30%` or `30`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(number) => number
                .parse()
                .ok()
                .filter(|percent| *percent <= 100)
                .map(Self::Percent),
            None => text.parse().ok().map(Self::Count),
        }
    }

    /// Whether `count` out of `existing` is above the limit.
    pub fn is_exceeded_by(self, count: u64, existing: u64) -> bool {
        match self {
            Self::Percent(percent) => {
                u128::from(count) * 100 > u128::from(percent) * u128::from(existing)
            }
            Self::Count(limit) => count > limit,
        }
    }
}

impl fmt::Display for GuardLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl serde::Serialize for GuardLimit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for GuardLimit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is neither a percentage nor a number"))
        })
    }
}

/// Limits above which a plan is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Guards {
    /// Limits the deletes.
    #[cfg_attr(test, schemars(with = "String"))]
    pub max_deletes: GuardLimit,
    /// Limits the changes of existing annotations.
    #[cfg_attr(test, schemars(with = "String"))]
    pub max_updates: GuardLimit,
    /// Percentages apply only if at least this many annotations exist.
    pub min_existing: u64,
    /// Limits the concepts that no annotation would have any more.
    pub max_vanished_concepts: u64,
    /// Limits the posts that duplicate an annotation of another user or set.
    pub max_doubles: u64,
    /// Limits the concepts that the app does not have yet; `None` means no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_new_concepts: Option<u64>,
}

impl Guards {
    /// The limits for one shard's part. If each part is within them, the whole is within the limits of the whole: a
    /// percentage counts for however few annotations of a part, and the parts share a number.
    #[must_use]
    pub fn of_a_part(self, shard: Shard) -> Self {
        if shard.count() == 1 {
            return self;
        }
        let divided = |number: u64| number / u64::from(shard.count());
        let limit = |limit: GuardLimit| match limit {
            GuardLimit::Percent(_) => limit,
            GuardLimit::Count(number) => GuardLimit::Count(divided(number)),
        };
        Self {
            max_deletes: limit(self.max_deletes),
            max_updates: limit(self.max_updates),
            min_existing: 0,
            max_vanished_concepts: divided(self.max_vanished_concepts),
            max_doubles: divided(self.max_doubles),
            max_new_concepts: self.max_new_concepts.map(divided),
        }
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            max_deletes: GuardLimit::Percent(30),
            max_updates: GuardLimit::Percent(30),
            min_existing: 10,
            max_vanished_concepts: 0,
            max_doubles: 0,
            max_new_concepts: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_within_their_limits_make_a_whole_within_its_limits() {
        let whole = Guards {
            max_deletes: GuardLimit::Count(20),
            max_new_concepts: Some(8),
            max_doubles: 7,
            ..Guards::default()
        };
        assert_eq!(whole.of_a_part("0/1".parse().unwrap()), whole);
        let part = whole.of_a_part("3/8".parse().unwrap());
        assert_eq!(part.max_deletes, GuardLimit::Count(2));
        assert_eq!(part.max_updates, GuardLimit::Percent(30));
        assert_eq!((part.max_new_concepts, part.max_doubles), (Some(1), 0));
        // A part may have fewer annotations than a percentage needs to count.
        assert_eq!(part.min_existing, 0);
    }

    #[test]
    fn a_guard_limit_is_exceeded_only_above_it() {
        let share = GuardLimit::parse("30%").unwrap();
        assert!(!share.is_exceeded_by(30, 100));
        assert!(share.is_exceeded_by(31, 100));
        assert!(share.is_exceeded_by(1, 0));
        assert!(!GuardLimit::Count(5).is_exceeded_by(5, 0));
        assert_eq!(GuardLimit::parse("130%"), None);
        assert_eq!(GuardLimit::parse("-1"), None);
        assert_eq!(GuardLimit::parse(" 3"), None);
    }
}
