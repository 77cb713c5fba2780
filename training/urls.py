"""URL name = view = template stem: one search finds all of it."""

from django.urls import path

from training.views import certification, cohorts, sessions

urlpatterns = [
    path("training/", cohorts.cohort_list, name="cohort_list"),
    path("training/cohorts/new/", cohorts.cohort_new, name="cohort_new"),
    path("training/cohorts/<int:pk>/", cohorts.cohort_detail, name="cohort_detail"),
    path("training/cohorts/<int:pk>/sessions/new/", sessions.session_add, name="session_add"),
    path("training/cohorts/<int:pk>/enrol/", cohorts.cohort_enrol, name="cohort_enrol"),
    path("training/cohorts/<int:pk>/complete/", cohorts.cohort_complete, name="cohort_complete"),
    path("training/attendance/<int:pk>/", sessions.attendance_record, name="attendance_record"),
    path("training/certified/", certification.certification_list, name="certification_list"),
    path(
        "training/educators/<int:pk>/certify/",
        certification.certification_issue,
        name="certification_issue",
    ),
    path(
        "training/certifications/<int:pk>/revoke/",
        certification.certification_revoke,
        name="certification_revoke",
    ),
]
