// Runs in the page's head, before anything is shown: the reader's language, and the direction that follows from it.
window.sanadSpeak = (language) => {
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  try {
    localStorage.setItem("sanad.language", language);
  } catch {
    // A browser that forbids storage forgets the choice.
  }
  return [null, language];
};

window.sanadLanguage = () => {
  let kept = null;
  try {
    kept = localStorage.getItem("sanad.language");
  } catch {
    // As above.
  }
  return kept ?? (navigator.language.startsWith("ar") ? "ar" : "en");
};

window.sanadSpeak(window.sanadLanguage());
