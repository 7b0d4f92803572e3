// SPDX-License-Identifier: MIT OR Apache-2.0
// The viewer without a terminal: what it shows, where keys lead, what it asks for, and what it marks.
#include "cli/view_model.hpp"

#include <gtest/gtest.h>

#include "os/memory_env.hpp"
#include "vitrine/database.hpp"

namespace vitrine::cli::view {
namespace {

using Kind = Input::Kind;

class ViewModel : public ::testing::Test {
 protected:
  ViewModel() {
    options_.env = env_.get();
    options_.page_size = 4096;
    db_.emplace(Database::open("a.vtr", OpenMode::CreateIfMissing, options_).value());
    EXPECT_TRUE(db_->write([](WriteTransaction& txn) {
                     for (int i = 0; i < 9000; ++i) {
                       if (Status s = txn.put({}, "key" + std::to_string(10000 + i), std::string(90, 'v')); !s.is_ok())
                         return s;
                     }
                     return txn.put({}, "large", std::string(30'000, 'l'));
                   })
                    .is_ok());
    EXPECT_TRUE(db_->checkpoint().is_ok());
  }
  ~ViewModel() override {
    EXPECT_TRUE(db_->verify(VerifyLevel::Deep).value().is_clean());
    EXPECT_TRUE(db_->close().is_ok());
  }

  Model& model(bool is_watching = false) {
    const Looker look = [&](const inspect::Request& request) {
      ++looks_;
      limit_max_ = std::max(limit_max_, request.limit);
      return inspect::look("a.vtr", request, options_);
    };
    model_.emplace("a.vtr", look, is_watching);
    model_->resize({24, 80});
    return *model_;
  }

  void press(char c) { model_->input(Input{Kind::Character, c}); }
  void press(Kind kind) { model_->input(Input{kind}); }
  void answer(std::string_view text) {
    for (const char c : text) press(c);
    press(Kind::Enter);
  }
  std::string text() const {
    std::string all;
    for (const Line& line : model_->screen()) all += text_of(line) + "\n";
    return all;
  }
  std::string selected() const {
    for (const Line& line : model_->screen()) {
      if (text_of(line).starts_with(">")) return text_of(line);
    }
    return "";
  }
  bool shows(std::string_view what) const { return text().find(what) != std::string::npos; }

  std::unique_ptr<os::Env> env_ = os::make_memory_env();
  Options options_;
  std::optional<Database> db_;
  std::optional<Model> model_;
  std::uint64_t looks_ = 0, limit_max_ = 0;
};

TEST_F(ViewModel, fits_every_size) {
  model();
  for (const Size size : {Size{24, 80}, Size{60, 200}, Size{10, 30}, Size{4, 8}, Size{3, 1}, Size{1, 1}}) {
    model_->resize(size);
    for (char panel = '1'; panel <= '9'; ++panel) {
      press(panel);
      const Lines lines = model_->screen();
      EXPECT_EQ(lines.size(), size.rows) << panel;
      for (const Line& line : lines) EXPECT_LE(columns_of(text_of(line)), std::max<std::size_t>(size.columns, 20));
    }
  }
}

TEST_F(ViewModel, asks_for_no_more_than_the_screen_shows) {
  model();
  for (char panel = '1'; panel <= '9'; ++panel) {
    looks_ = limit_max_ = 0;
    press(panel);
    EXPECT_LE(looks_, 4u) << panel;
    EXPECT_LE(limit_max_, panel == '2' ? 2048u : 100u) << panel;
  }
  press('4');
  for (int i = 0; i < 5; ++i) {
    looks_ = 0;
    press(Kind::PageDown);
    EXPECT_LE(looks_, 4u);
  }
}

TEST_F(ViewModel, walks_down_the_tree_and_back) {
  model();
  press('4');
  const std::string root = text();
  press('j');
  press('j');
  const std::string third = selected();
  press(Kind::Enter);
  EXPECT_TRUE(shows("root > ")) << text();
  press(Kind::Back);
  EXPECT_EQ(selected(), third);
  press('g');
  EXPECT_EQ(text(), root);
}

TEST_F(ViewModel, comes_back_to_a_child_far_to_the_right) {
  model();
  press('4');
  for (int i = 0; i < 70; ++i) press('j');
  const std::string child = selected();
  ASSERT_NE(child.find("page "), std::string::npos) << text();
  press(Kind::Enter);
  press('b');
  EXPECT_EQ(selected(), child);
}

TEST_F(ViewModel, finds_a_key_in_the_tree_and_in_keys) {
  model();
  for (const char panel : {'4', '6'}) {
    press(panel);
    press('/');
    answer("key17777");
    EXPECT_NE(selected().find("1/key17777  "), std::string::npos) << text();
  }
  press('/');
  answer("key17777x");
  EXPECT_NE(selected().find("1/key17778  "), std::string::npos) << "the next key";
}

TEST_F(ViewModel, turns_over_keys_and_back) {
  model();
  press('6');
  const std::string first = text();
  press(Kind::PageDown);
  press(Kind::PageDown);
  EXPECT_TRUE(shows("key10040")) << text();
  press(Kind::PageUp);
  press(Kind::PageUp);
  press('g');
  EXPECT_EQ(text(), first);
}

TEST_F(ViewModel, leads_from_the_map_to_the_page_and_back) {
  model();
  press('2');
  press(':');
  answer("9");
  EXPECT_TRUE(shows("page 9: intact")) << text();
  const std::string map = text();
  press(Kind::Enter);
  EXPECT_TRUE(shows("3>page") && shows("page 9: intact") && shows("what the page holds")) << text();
  press('b');
  EXPECT_EQ(text(), map);
}

TEST_F(ViewModel, climbs_from_a_leaf_to_the_root) {
  model();
  press('4');
  press(Kind::Enter);
  press(Kind::Enter);
  press('p');
  EXPECT_TRUE(shows("pointed to by slot 0 of page ")) << text();
  press('u');
  EXPECT_TRUE(shows("inner, level 1")) << text();
  for (int i = 0; i < 5; ++i) press('u');
  EXPECT_TRUE(shows("pointed to by the header")) << text();
}

TEST_F(ViewModel, selects_with_the_mouse) {
  model();
  model_->input({Kind::Click, 0, 1, 12});
  EXPECT_TRUE(shows("2>map")) << text();
  model_->input({Kind::Click, 0, 3, 12 + 7});
  EXPECT_TRUE(shows("page 7: ")) << text();
}

TEST_F(ViewModel, marks_what_changed_since_the_last_look) {
  model(true);
  press('1');
  model_->tick();
  EXPECT_FALSE(shows("shown changed")) << text();
  ASSERT_TRUE(db_->put("new", "entry").is_ok());
  ASSERT_TRUE(db_->checkpoint().is_ok());
  model_->tick();
  EXPECT_TRUE(shows("shown changed; checkpoint ")) << text();
  EXPECT_TRUE(shows(" *entries             9002")) << text();
  model_->tick();
  EXPECT_FALSE(shows("shown changed")) << text();
  press('2');
  model_->tick();
  ASSERT_TRUE(db_->put("newer", "entry").is_ok());
  ASSERT_TRUE(db_->checkpoint().is_ok());
  model_->tick();
  EXPECT_TRUE(shows("shown changed")) << text();
}

TEST_F(ViewModel, lists_damage_that_it_met) {
  const std::unique_ptr<os::File> file = env_->open("a.vtr", os::OpenMode::ReadWrite).value();
  const auto flip = [&](std::uint64_t offset) {
    char byte = 0;
    ASSERT_TRUE(file->read_at(offset, &byte, 1).has_value());
    byte = static_cast<char>(byte ^ 1);
    const os::IoSlice slice{&byte, 1};
    ASSERT_TRUE(file->write_at(offset, {&slice, 1}).is_ok());
  };
  model();
  press('4');
  const std::string root = text();
  const std::string page = root.substr(root.find("page ", root.find("> 0")) + 5, 8);
  const std::uint64_t offset = std::stoull(page) * 4096 + 500;
  flip(offset);
  press('2');
  EXPECT_TRUE(shows("!")) << text();
  press('9');
  EXPECT_TRUE(shows("is in use and does not verify")) << text();
  press('j');  // behind the note about the writer
  press(Kind::Enter);
  EXPECT_TRUE(shows("damaged, in use")) << text();
  flip(offset);
}

TEST_F(ViewModel, searches_text_forward_and_back) {
  model();
  press('1');
  press('/');
  answer("copy");
  const std::string first = selected();
  press('n');
  EXPECT_NE(selected(), first);
  press('N');
  EXPECT_EQ(selected(), first);
  press('/');
  answer("nowhere to be found");
  EXPECT_TRUE(shows("no nowhere to be found")) << text();
}

TEST_F(ViewModel, says_what_is_wrong_with_a_jump) {
  model();
  press('2');
  press(':');
  answer("page");
  EXPECT_TRUE(shows("a number is needed here"));
  press('q');
  EXPECT_TRUE(model_->is_done());
}

}  // namespace
}  // namespace vitrine::cli::view
