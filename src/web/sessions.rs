//! Sessions in memory. A session that is over stays over: whatever a request
//! that began before the end saves afterwards is let go, so that nobody who
//! logged out is in again because an answer took its time.

use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::Result;

/// All sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions(Arc<Mutex<HashMap<Id, Record>>>);

impl Sessions {
    /// Whether there is that session now.
    pub(super) fn lives(&self, id: &Id) -> bool {
        self.all().get(id).is_some_and(lasts)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Id, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lasts(record: &Record) -> bool {
    record.expiry_date > OffsetDateTime::now_utc()
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let mut all = self.all();
        all.retain(|_, record| lasts(record));
        while all.contains_key(&record.id) {
            record.id = Id::default();
        }
        all.insert(record.id, record.clone());
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        if let Some(kept) = self.all().get_mut(&record.id)
            && lasts(kept)
        {
            *kept = record.clone();
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        Ok(self.all().get(id).filter(|record| lasts(record)).cloned())
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.all().remove(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    fn record(lasts_s: i64) -> Record {
        Record {
            id: Id::default(),
            data: HashMap::default(),
            expiry_date: OffsetDateTime::now_utc() + Duration::seconds(lasts_s),
        }
    }

    #[tokio::test]
    async fn what_is_over_is_not_brought_back_by_saving_it() {
        let sessions = Sessions::default();
        let mut first = record(60);
        sessions.create(&mut first).await.unwrap();
        assert!(sessions.lives(&first.id));
        first.expiry_date += Duration::seconds(60);
        sessions.save(&first).await.unwrap();
        assert_eq!(sessions.load(&first.id).await.unwrap(), Some(first.clone()));
        sessions.delete(&first.id).await.unwrap();
        sessions.save(&first).await.unwrap();
        assert!(!sessions.lives(&first.id), "logged out");

        let mut expired = record(-1);
        sessions.create(&mut expired).await.unwrap();
        expired.expiry_date += Duration::seconds(60);
        sessions.save(&expired).await.unwrap();
        assert!(!sessions.lives(&expired.id), "expired");
        assert_eq!(sessions.load(&expired.id).await.unwrap(), None);
        sessions.create(&mut record(60)).await.unwrap();
        assert_eq!(sessions.all().len(), 1, "what expired is forgotten");
    }
}
