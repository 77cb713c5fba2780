"""URL name = view = template stem: one search finds all of it."""

from django.urls import path

from training.views import (
    attendance,
    certificate_imports,
    certificates,
    certification,
    cohorts,
    courses,
    desk,
    door,
    exports,
    feedback,
    members,
    own,
    sessions,
)

urlpatterns = [
    path("training/", cohorts.cohort_list, name="cohort_list"),
    path("training/cohorts/new/", cohorts.cohort_new, name="cohort_new"),
    path("training/cohorts/<int:pk>/", cohorts.cohort_detail, name="cohort_detail"),
    path("training/cohorts/<int:pk>/sessions/new/", sessions.session_add, name="session_add"),
    path("training/sessions/<int:pk>/edit/", sessions.session_edit, name="session_edit"),
    path("training/sessions/<int:pk>/cancel/", sessions.session_cancel, name="session_cancel"),
    path("training/cohorts/<int:pk>/edit/", cohorts.cohort_edit, name="cohort_edit"),
    path("training/cohorts/<int:pk>/needs/", cohorts.cohort_needs, name="cohort_needs"),
    path("training/cohorts/<int:pk>/enrol/", members.cohort_enrol, name="cohort_enrol"),
    path("training/cohorts/<int:pk>/invite/", members.cohort_invite, name="cohort_invite"),
    path("training/members/<int:pk>/", members.cohort_member, name="cohort_member"),
    path("training/members/<int:pk>/withdraw/", members.cohort_withdraw, name="cohort_withdraw"),
    path("training/members/<int:pk>/transfer/", members.cohort_transfer, name="cohort_transfer"),
    path("training/members/<int:pk>/place/", members.cohort_place, name="cohort_place"),
    path("training/mine/", own.own_training, name="own_training"),
    path("training/mine/<int:pk>/sign-up/", own.own_sign_up, name="own_sign_up"),
    path("training/mine/<int:pk>/leave/", own.own_leave, name="own_leave"),
    path("training/courses/", courses.course_list, name="course_list"),
    path("training/courses/new/", courses.course_new, name="course_new"),
    path("training/courses/<int:pk>/", courses.course_edit, name="course_edit"),
    path("training/cohorts/<int:pk>/complete/", cohorts.cohort_complete, name="cohort_complete"),
    path("training/attendance/<int:pk>/", attendance.attendance_record, name="attendance_record"),
    path(
        "training/sessions/<int:pk>/everybody/",
        attendance.attendance_everybody,
        name="attendance_everybody",
    ),
    path("training/everybody/<int:pk>/undo/", attendance.attendance_undo, name="attendance_undo"),
    path(
        "training/sessions/<int:pk>/guests/", attendance.attendance_guest, name="attendance_guest"
    ),
    path("training/sessions/<int:pk>/door/", door.session_door, name="session_door"),
    path("training/door/<int:pk>/confirm/", door.door_confirm, name="door_confirm"),
    path("training/door/<int:pk>/refuse/", door.door_refuse, name="door_refuse"),
    path("here/<str:token>/", door.door_sign_in, name="door_sign_in"),
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
    path(
        "training/certifications/<int:pk>/certificate/",
        certificates.certificate_pdf,
        name="certificate_pdf",
    ),
    path("training/cohorts/<int:pk>/feedback/", feedback.cohort_feedback, name="cohort_feedback"),
    path("training/feedback/<int:pk>/", feedback.feedback_give, name="feedback_give"),
    path("certificates/", certificates.certificate_verify, name="certificate_verify"),
    path(
        "training/certificates/",
        certificate_imports.certificate_import_list,
        name="certificate_import_list",
    ),
    path(
        "training/certificates/new/",
        certificate_imports.certificate_import_new,
        name="certificate_import_new",
    ),
    path(
        "training/certificates/<int:pk>/",
        certificate_imports.certificate_import_detail,
        name="certificate_import_detail",
    ),
    path(
        "training/certificates/<int:pk>/apply/",
        certificate_imports.certificate_import_apply,
        name="certificate_import_apply",
    ),
    path(
        "training/certificates/<int:pk>/discard/",
        certificate_imports.certificate_import_discard,
        name="certificate_import_discard",
    ),
    path(
        "training/certificates/<int:pk>/undo/",
        certificate_imports.certificate_import_undo,
        name="certificate_import_undo",
    ),
    path(
        "training/certificates/<int:pk>/refused/",
        certificate_imports.certificate_import_refused,
        name="certificate_import_refused",
    ),
    path("training/desk/", desk.training_desk, name="training_desk"),
    path("training/certified/csv/", exports.certification_csv, name="certification_csv"),
    path("training/cohorts/<int:pk>/csv/", exports.cohort_csv, name="cohort_csv"),
]
